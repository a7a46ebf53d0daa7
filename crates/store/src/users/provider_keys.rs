//! Keys of providers, sealed: what opens them is not in the database.

use atelier_engine::Timestamp;

use super::records::AuditEntry;
use crate::database::Statement;
use crate::error::StoreResult;
use crate::journal::rows;
use crate::store::{Store, never};

/// A provider's key that an administrator has written, sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedKey {
    /// `PROVIDER/ACCOUNT`, as its pools begin.
    pub account: String,
    /// The address that it is for.
    pub address: String,
    /// The key, sealed together with both.
    pub sealed: Vec<u8>,
    /// When it was written.
    pub written_at: Timestamp,
    /// The id of the user who wrote it.
    pub written_by: String,
}

impl Store {
    /// The keys that there are, by account.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn provider_keys(&self) -> StoreResult<Vec<SealedKey>> {
        let query = "SELECT account, address, sealed, written_at, written_by FROM provider_keys ORDER BY account";
        rows(self.query(Statement::new(query)).await?, |row| {
            let mut columns = row.columns();
            Ok(SealedKey {
                account: columns.text()?,
                address: columns.text()?,
                sealed: columns.bytes()?,
                written_at: columns.moment()?,
                written_by: columns.text()?,
            })
        })
    }

    /// Keeps a key in the place of the account's earlier one.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn put_provider_key(&self, key: &SealedKey, audit: &AuditEntry) -> StoreResult<()> {
        let put = Statement::new(
            "INSERT INTO provider_keys (account, address, sealed, written_at, written_by) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (account) DO UPDATE SET address = excluded.address, sealed = excluded.sealed, \
             written_at = excluded.written_at, written_by = excluded.written_by",
        )
        .bind(key.account.as_str())
        .bind(key.address.as_str())
        .bind(key.sealed.clone())
        .bind(key.written_at)
        .bind(key.written_by.as_str());
        self.apply(vec![put, audit.statement()], never).await.map(|_| ())
    }

    /// Forgets the key of an account, if there is one.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn forget_provider_key(&self, account: &str, audit: &AuditEntry) -> StoreResult<()> {
        let delete = Statement::new("DELETE FROM provider_keys WHERE account = $1").bind(account);
        self.apply(vec![delete, audit.statement()], never).await.map(|_| ())
    }
}

//! Sessions and tokens: what proves who somebody is, request by request.

use std::time::Duration;

use atelier_engine::Timestamp;

use super::records::{AuditEntry, CREDENTIAL, Credential, NewCredential, USER, User, credential, user};
use crate::database::Statement;
use crate::error::{StoreError, StoreResult};
use crate::journal::rows;
use crate::store::{Store, never};

/// When a credential was last used is kept to this exactness: not every request is a write.
const SEEN_EVERY: Duration = Duration::from_secs(60);

impl Store {
    /// Adds a session or a token; `instead_of` goes, as a browser's earlier session does when somebody signs in.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUser`] if its user may not come in; what the database reports.
    pub async fn add_credential(
        &self,
        new: &NewCredential,
        instead_of: Option<&str>,
        audit: &AuditEntry,
    ) -> StoreResult<()> {
        let NewCredential { credential, secret } = new;
        let user = credential.user.as_str();
        let mut batch =
            vec![Statement::new("SELECT 1 FROM users WHERE id = $1 AND disabled_at IS NULL").bind(user).must_hit()];
        batch.push(
            Statement::new(
                "INSERT INTO credentials (id, secret, kind, user_id, name, scopes, created_at, last_seen_at, idle, \
                 expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9)",
            )
            .bind(credential.id.as_str())
            .bind(secret.as_str())
            .bind(credential.kind.name())
            .bind(user)
            .bind(credential.name.as_str())
            .bind(credential.scopes.join(" "))
            .bind(credential.created_at)
            .bind(credential.idle)
            .bind(credential.expires_at),
        );
        if let Some(hash) = instead_of {
            batch.push(Statement::new("DELETE FROM credentials WHERE secret = $1").bind(hash));
        }
        batch.push(audit.statement());
        self.apply(batch, |_, _| StoreError::NoSuchUser { user: user.into() }).await.map(|_| ())
    }

    /// The credential that has this hash, with its user, if it opens something at this moment.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn credential(&self, hash: &str, now: Timestamp) -> StoreResult<Option<(Credential, User)>> {
        let query = Statement::new(format!(
            "SELECT {CREDENTIAL}, {USER} FROM credentials c JOIN users u ON u.id = c.user_id WHERE c.secret = $1 \
             AND u.disabled_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > $2) \
             AND (c.idle IS NULL OR c.last_seen_at + c.idle > $2)"
        ))
        .bind(hash)
        .bind(now);
        let found = rows(self.query(query).await?, |row| {
            let mut columns = row.columns();
            Ok((credential(&mut columns)?, user(&mut columns)?))
        })?
        .pop();
        if let Some((credential, _)) = &found
            && credential.last_seen_at.after(SEEN_EVERY) <= now
        {
            let seen = Statement::new("UPDATE credentials SET last_seen_at = $1 WHERE id = $2 AND last_seen_at < $1");
            self.apply(vec![seen.bind(now).bind(credential.id.as_str())], never).await?;
        }
        Ok(found)
    }

    /// Somebody's sessions and tokens, the latest first; those that have ended are not among them.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn credentials_of(&self, user: &str, now: Timestamp) -> StoreResult<Vec<Credential>> {
        let query = Statement::new(format!(
            "SELECT {CREDENTIAL} FROM credentials c WHERE c.user_id = $1 AND (c.expires_at IS NULL OR c.expires_at > $2) \
             AND (c.idle IS NULL OR c.last_seen_at + c.idle > $2) ORDER BY c.created_at DESC, c.id"
        ))
        .bind(user)
        .bind(now);
        rows(self.query(query).await?, |row| credential(&mut row.columns()))
    }

    /// Revokes a session or a token of somebody.
    ///
    /// # Errors
    /// [`StoreError::NoSuchCredential`] if it is not theirs; what the database reports.
    pub async fn revoke_credential(&self, user: &str, id: &str, audit: &AuditEntry) -> StoreResult<()> {
        let delete = Statement::new("DELETE FROM credentials WHERE user_id = $1 AND id = $2").bind(user).bind(id);
        let refused = |_, _| StoreError::NoSuchCredential { id: id.into() };
        self.apply(vec![delete.must_hit(), audit.statement()], refused).await.map(|_| ())
    }

    /// Forgets what has ended: sessions, tokens, links, and requests that nobody sends again.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn forget_ended(&self, now: Timestamp, requests_before: Timestamp) -> StoreResult<()> {
        let batch = vec![
            Statement::new(
                "DELETE FROM credentials WHERE expires_at <= $1 OR (idle IS NOT NULL AND last_seen_at + idle <= $1)",
            )
            .bind(now),
            Statement::new("DELETE FROM links WHERE expires_at <= $1").bind(now),
            Statement::new("DELETE FROM requests WHERE created_at <= $1").bind(requests_before),
        ];
        self.apply(batch, never).await.map(|_| ())
    }
}

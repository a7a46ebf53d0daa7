//! Sign-ins that are under way at a provider of OpenID Connect.

use atelier_engine::Timestamp;

use super::records::PendingSignIn;
use crate::database::Statement;
use crate::error::StoreResult;
use crate::journal::rows;
use crate::store::{Store, never};

impl Store {
    /// Keeps a sign-in by the hash of its state, until it comes back or ends.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn keep_sign_in(&self, state: &str, sign_in: &PendingSignIn) -> StoreResult<()> {
        let insert = Statement::new(
            "INSERT INTO sign_ins (state, binding, provider, nonce, verifier, return_to, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(state)
        .bind(sign_in.binding.as_str())
        .bind(sign_in.provider.as_str())
        .bind(sign_in.nonce.as_str())
        .bind(sign_in.verifier.as_str())
        .bind(sign_in.return_to.as_str())
        .bind(sign_in.expires_at);
        self.apply(vec![insert], never).await.map(|_| ())
    }

    /// Takes a sign-in out: of two who bring the same state, one gets it.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn take_sign_in(&self, state: &str, now: Timestamp) -> StoreResult<Option<PendingSignIn>> {
        let batch = vec![
            Statement::new("DELETE FROM sign_ins WHERE expires_at <= $1").bind(now),
            Statement::new(
                "DELETE FROM sign_ins WHERE state = $1 \
                 RETURNING binding, provider, nonce, verifier, return_to, expires_at",
            )
            .bind(state),
        ];
        let taken = self.apply(batch, never).await?.pop().map(|effect| effect.rows).unwrap_or_default();
        let taken = rows(taken, |row| {
            let mut columns = row.columns();
            Ok(PendingSignIn {
                binding: columns.text()?,
                provider: columns.text()?,
                nonce: columns.text()?,
                verifier: columns.text()?,
                return_to: columns.text()?,
                expires_at: columns.moment()?,
            })
        })?;
        Ok(taken.into_iter().next())
    }
}

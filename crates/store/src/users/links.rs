//! Links that work once.

use atelier_engine::Timestamp;

use super::people::{USERS, exists, insert, make_first};
use super::records::{AuditEntry, Link, LinkKind, NewUser, link};
use crate::database::Statement;
use crate::error::{StoreError, StoreResult};
use crate::journal::rows;
use crate::store::Store;

impl Store {
    /// Keeps a link by the hash of what opens it. Of links for the first administrator and for one person's password,
    /// only the latest works.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn add_link(&self, hash: &str, link: &Link, audit: Option<&AuditEntry>) -> StoreResult<()> {
        let mut batch = Vec::new();
        match link.kind {
            LinkKind::First => batch.push(Statement::new("DELETE FROM links WHERE kind = 'first'")),
            LinkKind::Reset => {
                let delete = Statement::new("DELETE FROM links WHERE kind = 'reset' AND user_id = $1");
                batch.push(delete.bind(link.user.as_deref()));
            }
            LinkKind::Invite => {}
        }
        batch.push(
            Statement::new(
                "INSERT INTO links (secret, kind, role, user_id, made_by, created_at, expires_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(hash)
            .bind(link.kind.name())
            .bind(link.role.name())
            .bind(link.user.as_deref())
            .bind(link.made_by.as_str())
            .bind(link.created_at)
            .bind(link.expires_at),
        );
        batch.extend(audit.map(AuditEntry::statement));
        self.apply(batch, crate::store::never).await.map(|_| ())
    }

    /// The link that has this hash, if it works at this moment.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn link(&self, hash: &str, now: Timestamp) -> StoreResult<Option<Link>> {
        let query = Statement::new(
            "SELECT kind, role, user_id, made_by, created_at, expires_at FROM links WHERE secret = $1 AND expires_at > $2",
        );
        Ok(rows(self.query(query.bind(hash).bind(now)).await?, link)?.pop())
    }

    /// Uses a link up and does what it is for, both or neither, so that of two who follow it at the same time one comes
    /// in: adds the invited, names the first administrator, or sets the password anew. `link` is what [`Store::link`] found.
    ///
    /// # Errors
    /// [`StoreError::LinkUsed`] if it was used up or has ended; [`StoreError::UserExists`]; what the database reports.
    pub async fn use_link(&self, hash: &str, link: &Link, new: &NewUser, audit: &AuditEntry) -> StoreResult<()> {
        let mut batch = vec![
            Statement::new("DELETE FROM links WHERE secret = $1 AND expires_at > $2 AND kind = $3 AND role = $4")
                .bind(hash)
                .bind(audit.at)
                .bind(link.kind.name())
                .bind(link.role.name())
                .must_hit(),
        ];
        // Whatever else this statement refuses, the link stays and can be followed again.
        let mut taken = 1;
        match link.kind {
            LinkKind::Invite => batch.extend(insert(&NewUser { role: link.role, ..new.clone() }, audit.at)),
            LinkKind::First => {
                taken = 2;
                batch.extend(make_first(new));
            }
            LinkKind::Reset => {
                let user = link.user.as_deref();
                batch.push(
                    Statement::new("UPDATE users SET password = $1 WHERE id = $2 AND disabled_at IS NULL")
                        .bind(new.password.as_deref())
                        .bind(user)
                        .must_hit(),
                );
                batch
                    .push(Statement::new("DELETE FROM credentials WHERE user_id = $1 AND kind = 'session'").bind(user));
            }
        }
        batch.push(audit.statement());
        let invites = link.kind == LinkKind::Invite || link.kind == LinkKind::First;
        let refused = |statement, _| {
            if statement >= taken && invites { exists(&new.name) } else { StoreError::LinkUsed }
        };
        self.apply_in(USERS, batch, refused).await.map(|_| ())
    }
}

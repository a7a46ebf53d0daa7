//! `atelier tokens`.

use std::time::Duration;

use atelier_app::AppResult;
use atelier_app::accounts::{NewToken, Origin, Scope};
use serde_json::json;

use crate::args::{AddToken, TokensCommand};
use crate::context::Context;
use crate::exit::Exit;
use crate::money::moment_of;
use crate::out::{excerpt, table};

pub(super) async fn run(context: &Context, command: TokensCommand) -> AppResult<Exit> {
    match command {
        TokensCommand::Add(command) => add(context, command).await,
        TokensCommand::List { user } => list(context, &user).await,
        TokensCommand::Revoke { id, user } => {
            let user = context.app.user(&user).await?;
            context.app.revoke(&user.id, &id, &Origin::default()).await?;
            context.out.result(&json!({ "revoked": id }), || format!("{id} opens nothing any more"))?;
            Ok(Exit::Success)
        }
    }
}

async fn add(context: &Context, command: AddToken) -> AppResult<Exit> {
    let user = context.app.user(&command.user).await?;
    let scopes = command.scope.iter().map(|name| Scope::from_name(name)).collect::<AppResult<Vec<_>>>()?;
    let lasts = command.days.map(|days| Duration::from_secs(days.saturating_mul(24 * 3600)));
    let new = NewToken { name: command.name, scopes, lasts };
    let made = context.app.make_token(&user, &new, &Origin::default()).await?;
    let json = json!({ "token": made.secret.reveal(), "credential": made.token });
    context.out.result(&json, || made.secret.reveal().to_owned())?;
    context.out.note(format!("it is shown this once; it may {}", made.token.scopes.join(", ")));
    Ok(Exit::Success)
}

async fn list(context: &Context, user: &str) -> AppResult<Exit> {
    let user = context.app.user(user).await?;
    let credentials = context.app.credentials_of(&user.id).await?;
    context.out.result(&json!({ "credentials": credentials }), || {
        if credentials.is_empty() {
            return format!("{} has neither sessions nor tokens", user.name);
        }
        let rows: Vec<Vec<String>> = credentials
            .iter()
            .map(|one| {
                let ends = one.expires_at.as_deref().map_or_else(|| "never".to_owned(), moment_of);
                let scopes = if one.kind == "session" { String::new() } else { one.scopes.join(", ") };
                let seen = moment_of(&one.last_seen_at);
                vec![one.id.clone(), one.kind.to_owned(), excerpt(&one.name, 40), scopes, seen, ends]
            })
            .collect();
        table(&["id", "kind", "for", "may", "last used", "ends"], &[false; 6], &rows)
    })?;
    Ok(Exit::Success)
}

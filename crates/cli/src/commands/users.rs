//! `atelier users`.

use atelier_app::accounts::{MadeLink, NewPerson, Origin, PersonChange, Role, Secret};
use atelier_app::views::UserView;
use atelier_app::{AppError, AppResult, code};
use atelier_engine::Usd;
use serde_json::json;

use crate::args::{AddUser, ChangeUser, PasswordFlags, ResetPassword, RoleName, UsersCommand};
use crate::context::Context;
use crate::exit::Exit;
use crate::money::moment_of;
use crate::out::{excerpt, table};

pub(super) async fn run(context: &Context, command: UsersCommand) -> AppResult<Exit> {
    match command {
        UsersCommand::Add(command) => add(context, command).await,
        UsersCommand::List => list(context).await,
        UsersCommand::Disable { name } => allow(context, &name, false).await,
        UsersCommand::Enable { name } => allow(context, &name, true).await,
        UsersCommand::Change(command) => change(context, command).await,
        UsersCommand::ResetPassword(command) => reset(context, command).await,
    }
}

const fn role(name: RoleName) -> Role {
    match name {
        RoleName::Admin => Role::Admin,
        RoleName::Member => Role::Member,
        RoleName::Viewer => Role::Viewer,
    }
}

async fn add(context: &Context, command: AddUser) -> AppResult<Exit> {
    let AddUser { name, role: wanted, shown, password } = command;
    let given = if password.password_stdin { Some(read_password()?) } else { None };
    let has_password = given.is_some();
    let person = NewPerson { name, shown, role: role(wanted), password: given, identity: None };
    let user = context.app.add_user(&person, &Origin::default()).await?;
    if has_password {
        context.out.result(&user, || format!("{} is added, as {}", user.name, user.role))?;
        return Ok(Exit::Success);
    }
    let found = context.app.user(&user.id).await?;
    let link = link(context, &password, &context.app.reset_link(&found, &Origin::default()).await?);
    context.out.result(&json!({ "user": user, "link": link }), || {
        format!(
            "{} is added, as {}; with this link they set a password, once and within a day:\n{link}",
            user.name, user.role
        )
    })?;
    Ok(Exit::Success)
}

async fn list(context: &Context) -> AppResult<Exit> {
    let users = context.app.users().await?;
    context.out.result(&json!({ "users": users }), || {
        let row = |user: &UserView| {
            let state = match (&user.disabled_at, user.can_sign_in) {
                (Some(_), _) => "disabled",
                (None, true) => "",
                (None, false) if user.id == "local" => "this machine's own",
                (None, false) => "has no password yet",
            };
            let budget = user.day_budget_usd.map(|usd| format!("${usd:.2} a day")).unwrap_or_default();
            let since = if user.id == "local" { String::new() } else { moment_of(&user.created_at) };
            vec![user.name.clone(), excerpt(&user.shown, 30), user.role.to_owned(), budget, since, state.to_owned()]
        };
        let rows: Vec<Vec<String>> = users.iter().map(row).collect();
        table(&["name", "shown", "role", "budget", "since", ""], &[false; 6], &rows)
    })?;
    Ok(Exit::Success)
}

async fn allow(context: &Context, name: &str, allowed: bool) -> AppResult<Exit> {
    let change = PersonChange { disabled: Some(!allowed), ..PersonChange::default() };
    let said = if allowed { "may come in again" } else { "may not come in any more" };
    changed(context, name, &change, said).await
}

async fn change(context: &Context, command: ChangeUser) -> AppResult<Exit> {
    let ChangeUser { name, role: wanted, shown, day_budget } = command;
    let day_budget = day_budget.as_deref().map(budget).transpose()?;
    if wanted.is_none() && shown.is_none() && day_budget.is_none() {
        let message = "nothing is to change";
        return Err(AppError::new(code!("nothing-to-change"), message).hint("give --role, --shown or --day-budget"));
    }
    let change = PersonChange { shown, role: wanted.map(role), day_budget, ..PersonChange::default() };
    changed(context, &name, &change, "is changed").await
}

async fn changed(context: &Context, name: &str, change: &PersonChange, said: &str) -> AppResult<Exit> {
    let user = context.app.user(name).await?;
    let user = context.app.change_user(&user.id, change, &Origin::default()).await?;
    context.out.result(&user, || format!("{} {said}", user.name))?;
    Ok(Exit::Success)
}

async fn reset(context: &Context, command: ResetPassword) -> AppResult<Exit> {
    let user = context.app.user(&command.name).await?;
    if command.password.password_stdin {
        let change = PersonChange { password: Some(read_password()?), ..PersonChange::default() };
        return changed(context, &user.name, &change, "has another password, and is signed out").await;
    }
    let link = link(context, &command.password, &context.app.reset_link(&user, &Origin::default()).await?);
    context.out.result(&json!({ "user": user.name, "link": link }), || {
        format!("with this link {} sets another password, once and within a day:\n{link}", user.name)
    })?;
    Ok(Exit::Success)
}

fn link(context: &Context, flags: &PasswordFlags, made: &MadeLink) -> String {
    let url = flags.public_url.clone().or_else(|| context.app.config().server.public_url.clone());
    let url = url.unwrap_or_else(|| "http://127.0.0.1:8787".to_owned());
    format!("{}/welcome#{}", url.trim_end_matches('/'), made.secret.reveal())
}

fn budget(text: &str) -> AppResult<Option<Usd>> {
    if text == "none" {
        return Ok(None);
    }
    let dollars: Option<f64> = text.trim_start_matches('$').parse().ok();
    let sound = dollars.filter(|dollars| (0.0..=1e6).contains(dollars));
    let usd = sound.and_then(Usd::from_dollars);
    usd.map(Some).ok_or_else(|| {
        AppError::new(code!("count-invalid"), format!("'{}' is no amount of dollars", excerpt(text, 40)))
            .hint("give a number such as 5, or none")
    })
}

fn read_password() -> AppResult<Secret> {
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .map_err(|error| AppError::new(code!("input-unreadable"), format!("stdin can't be read: {error}")))?;
    Ok(Secret::given(line.trim_end_matches(['\r', '\n'])))
}

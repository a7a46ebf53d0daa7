//! `atelier serve`, `atelier users` and `atelier tokens`.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where to listen; port 0 takes a free one [default: 127.0.0.1:8787]
    #[arg(long, value_name = "ADDRESS", env = "ATELIER_ADDR", hide_env_values = true)]
    pub(crate) addr: Option<SocketAddr>,
    /// The address that people reach it under, such as https://studio.example.org
    #[arg(long, value_name = "URL", env = "ATELIER_PUBLIC_URL", hide_env_values = true)]
    pub(crate) public_url: Option<String>,
    /// A proxy in front ends TLS; it has to keep Host and Origin
    #[arg(long)]
    pub(crate) behind_proxy: bool,
    /// The address of a proxy whose word is taken about where requests come from
    #[arg(long, value_name = "IP")]
    pub(crate) trusted_proxy: Vec<IpAddr>,
    /// Another name under which it may be asked
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Vec<String>,
    /// How long paid calls may take to finish once it is to end, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub(crate) stop_within: u64,
    /// Leave a library that has never had an image without the samples
    #[arg(long)]
    pub(crate) no_samples: bool,
    /// Write the address to this file once it can be asked
    #[arg(long, value_name = "FILE")]
    pub(crate) port_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UsersCommand {
    /// Add somebody; a link is printed by which they set a password
    Add(AddUser),
    /// List everybody
    List,
    /// Let somebody in no more; they are signed out, and their tokens end
    Disable {
        /// Their name
        name: String,
    },
    /// Let somebody in again
    Enable {
        /// Their name
        name: String,
    },
    /// Change what somebody may do, or what their work may cost in a day
    Change(ChangeUser),
    /// Print a link by which somebody sets another password
    ResetPassword(ResetPassword),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleName {
    /// Everything, people and provider accounts included; others' pictures excepted
    Admin,
    /// Make, import, draft and decide
    Member,
    /// Look
    Viewer,
}

#[derive(Debug, Args)]
pub(crate) struct AddUser {
    /// What they type to sign in: a name, or an address
    pub(crate) name: String,
    /// What they may do
    #[arg(long, value_name = "ROLE", default_value = "member")]
    pub(crate) role: RoleName,
    /// What others see [default: the name]
    #[arg(long, value_name = "TEXT")]
    pub(crate) shown: Option<String>,
    #[command(flatten)]
    pub(crate) password: PasswordFlags,
}

#[derive(Debug, Args)]
pub(crate) struct PasswordFlags {
    /// Read the password from stdin, in the place of printing a link
    #[arg(long)]
    pub(crate) password_stdin: bool,
    /// The address that people reach the server under, for the link [default: http://127.0.0.1:8787]
    #[arg(long, value_name = "URL", env = "ATELIER_PUBLIC_URL", hide_env_values = true)]
    pub(crate) public_url: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ChangeUser {
    /// Their name
    pub(crate) name: String,
    /// What they may do
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Option<RoleName>,
    /// What others see
    #[arg(long, value_name = "TEXT")]
    pub(crate) shown: Option<String>,
    /// The most that their work may cost in a day, in dollars, or none
    #[arg(long, value_name = "USD|none")]
    pub(crate) day_budget: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ResetPassword {
    /// Their name
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) password: PasswordFlags,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokensCommand {
    /// Make a token for a program; it is printed this once
    Add(AddToken),
    /// List somebody's sessions and tokens
    List {
        /// Whose [default: this machine's own]
        #[arg(long, value_name = "NAME", default_value = "local")]
        user: String,
    },
    /// End a session or a token
    Revoke {
        /// Its id, as the list gives it
        id: String,
        /// Whose it is [default: this machine's own]
        #[arg(long, value_name = "NAME", default_value = "local")]
        user: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AddToken {
    /// What it is for
    pub(crate) name: String,
    /// Whose it is [default: this machine's own]
    #[arg(long, value_name = "NAME", default_value = "local")]
    pub(crate) user: String,
    /// What it may be used for: read, write, spend, admin; repeat for more
    #[arg(long, value_name = "SCOPE", default_values = ["read", "write", "spend"])]
    pub(crate) scope: Vec<String>,
    /// After how many days it ends [default: never]
    #[arg(long, value_name = "DAYS")]
    pub(crate) days: Option<u64>,
}

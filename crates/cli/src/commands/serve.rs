//! `atelier serve`.

use std::path::Path;
use std::time::Duration;

use atelier_app::config::ServerConfig;
use atelier_app::{AppError, AppResult, code};
use atelier_server::{ServeSettings, serve};
use serde_json::json;

use crate::args::Serve;
use crate::context::Context;
use crate::exit::Exit;
use crate::signals;

pub(super) async fn run(context: &Context, command: Serve) -> AppResult<Exit> {
    let (stop, _) = signals::listen(Some(context.out))?;
    let settings = settings(context.app.config().server.clone(), &command);
    let serving = serve(context.app.clone(), settings, stop.clone()).await?;
    if let Some(path) = &command.port_file {
        write_whole(path, &serving.url)?;
    }
    let (url, link) = (serving.url.clone(), serving.first_link.clone());
    context.out.result(&json!({ "url": url, "first_link": link }), || {
        let sign_in = match &link {
            Some(link) => format!(
                "\nNobody has a password yet: on this machine you are signed in at once.\n\
                 Before others come in, give yourself a name and a password: {link}"
            ),
            None => String::new(),
        };
        format!("Atelier is at {url}; its API at {url}/api/v1/openapi.json; Ctrl-C ends it{sign_in}")
    })?;
    stop.wait().await;
    serving.ended().await;
    // A signal is how a server is asked to end: that is no interruption.
    Ok(Exit::Success)
}

/// What the command line says, else the configuration, else what is usual.
fn settings(config: ServerConfig, command: &Serve) -> ServeSettings {
    let mut hosts = config.hosts;
    hosts.extend(command.host.iter().cloned());
    let mut trusted_proxies = config.trusted_proxies;
    trusted_proxies.extend(&command.trusted_proxy);
    ServeSettings {
        address: command.addr.or(config.addr).unwrap_or_else(|| ([127, 0, 0, 1], 8787).into()),
        public_url: command.public_url.clone().or(config.public_url),
        behind_proxy: command.behind_proxy || config.behind_proxy,
        trusted_proxies,
        hosts,
        patience: Duration::from_secs(command.stop_within),
        samples: !command.no_samples,
    }
}

/// Whoever waits for the file reads it whole or not at all.
pub(super) fn write_whole(path: &Path, url: &str) -> AppResult<()> {
    let part = path.with_extension("part");
    std::fs::write(&part, url).and_then(|()| std::fs::rename(&part, path)).map_err(|error| {
        AppError::new(code!("port-file"), format!("{} can't be written: {error}", path.display()))
            .hint("name a file in a folder that exists and can be written to")
    })
}

//! Serves a sandbox until it is interrupted: `serve [PORT] [quota=…] [fault=…] [latency=…]
//! [per-output-token=…] [pacing=…] [hints=…] [seed=…]`, such as
//! `serve 8787 quota=requests=15/60s fault=503=0.05 latency=1s`. Prints its base URL on the first line.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::net::SocketAddr;

use atelier_sandbox::{SANDBOX_NOTICE, SandboxConfig, Span, serve};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut config = SandboxConfig::default();
    let mut port = 0;
    for argument in std::env::args().skip(1) {
        match argument.split_once('=') {
            None => port = argument.parse()?,
            Some(("quota", value)) => config.quotas.push(value.parse()?),
            Some(("fault", value)) => config.faults.push(value.parse()?),
            Some(("latency", value)) => config.latency = value.parse::<Span>()?.into(),
            Some(("per-output-token", value)) => config.per_output_token = value.parse::<Span>()?.into(),
            Some(("pacing", value)) => config.pacing = value.parse()?,
            Some(("hints", value)) => config.hints = value.parse()?,
            Some(("seed", value)) => config.seed = value.parse()?,
            Some((name, _)) => return Err(format!("there is no setting {name:?}").into()),
        }
    }
    let ready = |sandbox: &atelier_sandbox::Sandbox| {
        println!("{}\n{SANDBOX_NOTICE}", sandbox.base_url());
    };
    let interrupted = async {
        // Where the signal can't be listened for, the process ends by it all the same.
        let _ = tokio::signal::ctrl_c().await;
    };
    let stats = serve(config, SocketAddr::from(([127, 0, 0, 1], port)), ready, interrupted).await?;
    println!("{stats:#?}");
    Ok(())
}

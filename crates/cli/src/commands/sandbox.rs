//! `atelier sandbox`.

use atelier_app::AppResult;
use atelier_sandbox::{SANDBOX_NOTICE, Sandbox, SandboxConfig};

use super::serve::write_whole;
use crate::args::SandboxCommand;
use crate::exit::Exit;
use crate::money::count;
use crate::out::Out;
use crate::signals;

pub(super) async fn run(command: SandboxCommand, out: Out) -> AppResult<Exit> {
    let config = SandboxConfig {
        quotas: command.quota,
        pacing: command.pacing,
        hints: command.hints,
        latency: command.latency.0,
        per_output_token: command.per_output_token.0,
        faults: command.fault,
        seed: command.seed,
        models: None,
    };
    let (stop, _) = signals::listen(None)?;
    let sandbox = Sandbox::start(config, command.addr)?;
    let url = sandbox.base_url();
    if let Some(path) = &command.port_file {
        write_whole(path, &url)?;
    }
    out.note(SANDBOX_NOTICE);
    out.note(format!("serving Gemini's and OpenAI's formats at {url}; counts at {url}/stats; Ctrl-C ends it"));
    out.note(format!("to use it: GOOGLE_GEMINI_BASE_URL={url} GEMINI_API_KEY=sandbox atelier …"));
    out.note(format!("or:        OPENAI_BASE_URL={url}/v1 OPENAI_API_KEY=sandbox atelier …"));
    stop.wait().await;
    let stats = sandbox.stats();
    sandbox.shutdown().await;
    out.result(&stats, || {
        let (calls, refusals) = (count(stats.calls, "call"), count(stats.refusals, "refusal"));
        format!("{calls}, {refusals}, {} at most at once", stats.peak_in_flight)
    })?;
    // A signal is how a server is asked to end: that is no interruption.
    Ok(Exit::Success)
}

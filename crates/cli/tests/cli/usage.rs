//! Exit code 2: a command line that can't be understood, or names what is not there.

use crate::world::{World, texts};

#[test]
fn what_the_parser_does_not_know_is_a_matter_of_usage() {
    let world = World::new();
    for arguments in [
        "",
        "nonsense",
        "projects list --nonsense",
        "posts list",
        "posts list --project brand --limit many",
        "replies generate",
        "replies generate --project brand --quota 15",
        "replies generate --project brand --quota cats=15/60s",
        "replies generate --project brand --quota requests=0/60s",
        "replies generate --project brand --rpm 0",
        "replies generate --project brand --pack 0",
        "replies generate --project brand --pack some",
        "replies generate --project brand --concurrency 0",
        "replies generate --project brand --no-batch --concurrency 3",
        "replies generate --project brand --max-cost free",
        "replies generate --project brand --max-cost -1",
        "replies generate --project brand --hours-back 0",
        "replies generate --project brand --hours-back NaN",
        "replies generate --project brand --now yesterday",
        "replies generate --project brand --all-projects",
        "replies review shout d1",
        "replies export --sort-by mood",
        "jobs resume",
        "sandbox --quota requests=15",
        "sandbox --fault flood=0.5",
        "sandbox --latency soon",
    ] {
        let finished = world.run(arguments).expect_code(2);
        assert!(!finished.stderr.is_empty() && finished.stdout.is_empty(), "{finished}");
    }
    assert!(!world.data().exists(), "nothing was to be made");
}

#[test]
fn what_is_not_there_is_a_matter_of_usage() {
    let world = World::with_posts(&texts(1));
    for (arguments, word) in [
        ("posts list --project other", "'other'"),
        ("posts list --project brand --after nowhere", "'nowhere'"),
        ("posts import missing.csv --project brand", "missing.csv"),
        ("replies generate --project other --model sandbox", "'other'"),
        ("replies generate --project brand --model martian:one", "martian"),
        ("replies generate --project brand --model sandbox --embedder telepathy", "telepathy"),
        ("replies generate --project brand --model sandbox --sandbox-quota 15", "15"),
        ("replies generate --project brand --model sandbox --sandbox-fault hang=2", "hang=2"),
        ("replies generate --project brand --model sandbox --sandbox-latency soon", "soon"),
        ("replies list --status asleep", "'asleep'"),
        ("replies list --label blue", "'blue'"),
        ("replies list --after nowhere", "'nowhere'"),
        ("replies export --status asleep", "'asleep'"),
        ("replies export --project other", "'other'"),
        ("replies export --out - --json", "--out -"),
        ("replies review approve d1 --reason because", "--reason"),
        ("jobs show other", "'other'"),
        ("jobs resume other", "'other'"),
        ("jobs cancel other", "'other'"),
        ("jobs retry other", "'other'"),
        ("jobs list --after nowhere", "'nowhere'"),
    ] {
        world.run(arguments).expect_code(2).says(&[word, "error: ", "hint: "]);
    }
    assert!(world.find_job().is_none());
}

#[test]
fn help_and_version_go_to_stdout_and_are_no_errors() {
    let world = World::new();
    let help = world.ok("replies generate --help");
    for flag in ["--hours-back", "--batch-size", "--max-cost", "--use-saved-scores", "--wait"] {
        assert!(help.stdout.contains(flag), "{flag} is not in\n{help}");
    }
    assert!(world.ok("--version").stdout.starts_with("atelier "));
}

//! Keys of providers: written, tried, used, and never read.

use std::sync::Arc;

use atelier_app::accounts::Role;
use atelier_app::{App, Start};
use atelier_engine::Clock;
use atelier_sandbox::{Sandbox, SandboxConfig};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::place::{Asker, Place, problem, settings, until, until_made, well};

const KEY: &str = "key-that-nobody-reads-4711";

/// A team's account at a provider, which a sandbox stands in for.
fn app_on(dir: &tempfile::TempDir, provider: &Sandbox, variables: &'static [(&str, &str)]) -> App {
    let config = dir.path().join("atelier.toml");
    let text = format!(
        "[accounts.team]\nkey_env = \"TEAM_KEY\"\nbase_url = \"{}\"\n\n[[pools]]\nmodel = \"gemini:gemini-3.1-flash-image\"\n\
         account = \"team\"\nlimits = []\n",
        provider.base_url()
    );
    std::fs::write(&config, text).unwrap();
    let environment = Arc::new(move |name: &str| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    });
    let data_dir = Some(dir.path().join("data"));
    App::start(Start { config: Some(config), data_dir, environment, clock: Clock::system() }).unwrap()
}

fn provider() -> Sandbox {
    Sandbox::start(SandboxConfig::default(), ([127, 0, 0, 1], 0).into()).unwrap()
}

async fn write(asker: &Asker, account: &str, key: &str) -> Response {
    let put = asker.request(Method::PUT, &format!("/providers/{account}/key"));
    put.json(&json!({ "key": key })).send().await.unwrap()
}

async fn of_team(asker: &Asker) -> Value {
    let read = asker.read("/providers").await;
    read["providers"].as_array().unwrap().iter().find(|one| one["account"] == "gemini/team").unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_written_and_tried_and_images_are_made_with_it() {
    let (dir, provider) = (Arc::new(tempfile::tempdir().unwrap()), provider());
    let place = Place::of(app_on(&dir, &provider, &[]), Arc::clone(&dir), settings()).await;
    let root = place.person("root", Role::Admin).await;
    assert_eq!(of_team(&root).await["key"], "missing");
    assert_eq!(problem(root.post("/providers/gemini/team/try", json!({})).await).await.1, "missing-key");
    let image = json!({ "request": { "prompt": "a lamp", "count": 1,
        "sides": [{ "model": "gemini:gemini-3.1-flash-image", "references": "off" }] } });
    assert_eq!(problem(root.post_once("k", "/generations", image.clone()).await).await.1, "missing-key");
    let written = well(write(&root, "gemini/team", KEY).await).await;
    assert_eq!((&written["key"], &written["variable"]), (&json!("written"), &json!("TEAM_KEY")));
    assert!(well(root.post("/providers/gemini/team/try", json!({})).await).await["models"].as_u64().unwrap() > 0);
    let made = well(root.post_once("again", "/generations", image).await).await;
    until_made(&root, made["generation"].as_str().unwrap()).await;
    // It is nowhere to be read: not in answers, not in the database, not in the log of what was done.
    for path in ["/providers", "/audit", "/jobs"] {
        assert!(!root.get(path).await.text().await.unwrap().contains(KEY), "{path}");
    }
    let dir = place.end().await;
    let data = dir.path().join("data");
    for file in std::fs::read_dir(&data).unwrap().map(|file| file.unwrap().path()).filter(|file| file.is_file()) {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(KEY.len()).any(|part| part == KEY.as_bytes()), "{}", file.display());
    }
    // It stays through a restart, and goes when it is forgotten.
    let place = Place::of(app_on(&dir, &provider, &[]), dir, settings()).await;
    let root = place.sign_in("root").await;
    assert_eq!(of_team(&root).await["key"], "written");
    assert_eq!(root.delete("/providers/gemini/team/key").await.status(), 204);
    assert_eq!(of_team(&root).await["key"], "missing");
    let audit = root.read("/audit").await.to_string();
    assert!(audit.contains("provider-key-written") && audit.contains("provider-key-forgotten"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_for_the_address_that_it_was_written_for() {
    let (dir, first, second) = (Arc::new(tempfile::tempdir().unwrap()), provider(), provider());
    let place = Place::of(app_on(&dir, &first, &[]), Arc::clone(&dir), settings()).await;
    let root = place.person("root", Role::Admin).await;
    well(write(&root, "gemini/team", KEY).await).await;
    let dir = place.end().await;
    let place = Place::of(app_on(&dir, &second, &[]), Arc::clone(&dir), settings()).await;
    let root = place.sign_in("root").await;
    assert_eq!(of_team(&root).await["key"], "missing");
    assert_eq!(problem(root.post("/providers/gemini/team/try", json!({})).await).await.1, "missing-key");
    let (dir, gone) = (place.end().await, first.base_url());
    drop(first);
    assert!(!gone.is_empty());
    // The environment's goes before one that is written, so writing one there is refused.
    let place = Place::of(app_on(&dir, &second, &[("TEAM_KEY", "k")]), dir, settings()).await;
    let root = place.sign_in("root").await;
    assert_eq!(of_team(&root).await["key"], "environment");
    assert_eq!(problem(write(&root, "gemini/team", KEY).await).await, (409, "key-from-environment".to_owned()));
    assert!(well(root.post("/providers/gemini/team/try", json!({})).await).await["models"].as_u64().unwrap() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_the_administrators_alone_and_no_tokens() {
    let (dir, provider) = (Arc::new(tempfile::tempdir().unwrap()), provider());
    let place = Place::of(app_on(&dir, &provider, &[]), dir, settings()).await;
    let root = place.person("root", Role::Admin).await;
    let ana = place.person("ana", Role::Member).await;
    let program = place.program("root", &atelier_app::accounts::Scope::ALL).await;
    for asker in [&ana, &program] {
        assert_eq!(asker.get("/providers").await.status(), 403);
        assert_eq!(write(asker, "gemini/team", KEY).await.status(), 403);
        assert_eq!(asker.post("/providers/gemini/team/try", json!({})).await.status(), 403);
    }
    assert_eq!(problem(write(&root, "gemini/nobody", KEY).await).await, (404, "no-such-account".to_owned()));
    assert_eq!(problem(write(&root, "gemini/team", "schlüssel").await).await.1, "bad-key");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_that_an_administrator_sets_hold_for_what_comes_next() {
    let (dir, provider) = (Arc::new(tempfile::tempdir().unwrap()), provider());
    let place = Place::of(app_on(&dir, &provider, &[("TEAM_KEY", "k")]), dir, settings()).await;
    let root = place.person("root", Role::Admin).await;
    let ana = place.person("ana", Role::Member).await;
    // Its name has the address in it, where that is not the provider's own.
    let quota = root.read("/quotas").await;
    let mut pools = quota["pools"].as_array().unwrap().iter().map(|pool| pool["pool"].as_str().unwrap().to_owned());
    let name = pools.find(|pool| pool.ends_with("gemini-3.1-flash-image")).unwrap();
    let set = async |asker: &Asker, pool: &str, limits: Value| {
        let put = asker.request(Method::PUT, "/quotas").json(&json!({ "pool": pool, "limits": limits }));
        put.send().await.unwrap()
    };
    assert_eq!(set(&ana, &name, json!(["requests=1/60s"])).await.status(), 403);
    assert_eq!(problem(set(&root, "gemini/nobody/x", json!(["usd=1/day"])).await).await.1, "no-such-pool");
    assert_eq!(problem(set(&root, &name, json!(["requests=few"])).await).await.1, "bad-limit");
    let pool = well(set(&root, &name, json!(["requests=1/60s"])).await).await;
    assert_eq!((&pool["is_set"], &pool["limits"][0]["limit"]), (&json!(true), &json!("requests=1/60s")));
    let images = json!({ "request": { "prompt": "a lamp", "count": 2,
        "sides": [{ "model": "gemini:gemini-3.1-flash-image", "references": "off" }] } });
    let made = well(ana.post_once("two", "/generations", images).await).await;
    let job = format!("/jobs/{}", made["generation"].as_str().unwrap());
    let one = until(&ana, &job, |job| job["done"] == 1).await;
    assert_eq!((&one["pending"], &one["rate_limited"]), (&json!(1), &json!(0)), "{one}");
    let quota = root.read("/quotas").await;
    let pool = quota["pools"].as_array().unwrap().iter().find(|pool| pool["pool"] == *name).unwrap().clone();
    assert_eq!((&pool["limits"][0]["used"], &pool["limits"][0]["amount"]), (&json!(1), &json!(1)));
    let pool = well(set(&root, &name, json!([])).await).await;
    assert_eq!((&pool["is_set"], &pool["limits"]), (&json!(false), &json!([])));
    assert!(root.read("/audit").await.to_string().contains("limits-set"));
}

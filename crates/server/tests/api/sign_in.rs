//! Signing in: the first administrator, links, passwords, and how it can't be got around.

use atelier_app::accounts::{Origin, Role, Scope};
use reqwest::StatusCode;
use serde_json::json;

use crate::place::{PASSWORD, Place, cookie_of, problem, settings, well};

#[tokio::test(flavor = "multi_thread")]
async fn on_a_machine_without_users_whoever_sits_at_it_is_its_administrator() {
    let place = Place::new().await;
    assert_eq!(place.nobody().read("/sign-in").await, json!({ "password": false, "here": true, "providers": [] }));
    let answer = place.nobody().post("/sessions/here", json!({})).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let me = place.nobody().with_cookie(&cookie_of(&answer)).read("/me").await;
    assert_eq!((&me["user"]["id"], &me["user"]["role"]), (&json!("local"), &json!("admin")));
}

#[tokio::test(flavor = "multi_thread")]
async fn being_near_is_not_enough() {
    let place = Place::new().await;
    let here = || place.nobody().request(reqwest::Method::POST, "/sessions/here");
    // What a proxy on this machine passes on.
    for header in ["x-forwarded-for", "forwarded", "via", "x-real-ip"] {
        let answer = here().header(header, "for=192.0.2.1").send().await.unwrap();
        assert_eq!(problem(answer).await, (401, "sign-in-failed".into()), "{header}");
    }
    // A page whose name was made to resolve to this machine.
    let answer = here().header("host", "evil.example").send().await.unwrap();
    assert_eq!(problem(answer).await, (421, "wrong-host".into()));
    // A page of another site.
    let answer = here().header("origin", "http://evil.example").send().await.unwrap();
    assert_eq!(problem(answer).await, (403, "cross-site".into()));
    let answer = here().header("sec-fetch-site", "cross-site").send().await.unwrap();
    assert_eq!(problem(answer).await, (403, "cross-site".into()));
    // And once there are users, nobody.
    place.person("ana", Role::Admin).await;
    assert_eq!(problem(here().send().await.unwrap()).await, (401, "sign-in-failed".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_link_makes_one_administrator_and_works_once() {
    let place = Place::new().await;
    let made = place.app.first_link().await.unwrap().unwrap();
    let secret = made.secret.reveal().to_owned();
    let look = well(place.nobody().post("/links/look", json!({ "secret": secret })).await).await;
    assert_eq!(look, json!({ "kind": "first", "role": "admin", "wants_name": true }));
    let follow = |name: &str| {
        let body = json!({ "secret": secret, "name": name, "password": PASSWORD });
        let nobody = place.nobody();
        async move { nobody.post("/links/follow", body).await }
    };
    // Two at the same moment: one comes in.
    let (one, other) = tokio::join!(follow("ana"), follow("max"));
    let statuses = [one.status().as_u16(), other.status().as_u16()];
    assert!(statuses.contains(&201) && statuses.contains(&409), "{statuses:?}");
    assert_eq!(problem(follow("eve").await).await, (409, "link-used".into()));
    assert!(place.app.first_link().await.unwrap().is_none());
    let admins = place.app.users().await.unwrap().into_iter().filter(|user| user.can_sign_in).count();
    assert_eq!(admins, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_fixes_the_role() {
    let place = Place::new().await;
    let admin = place.person("ana", Role::Admin).await;
    let link = well(admin.post("/users/invitations", json!({ "role": "viewer" })).await).await;
    let url = link["url"].as_str().unwrap();
    let (before, secret) = url.split_once("/welcome#").unwrap();
    assert_eq!(before, place.url);
    // A role can't be asked for.
    let more = json!({ "secret": secret, "name": "vera", "password": PASSWORD, "role": "admin" });
    assert_eq!(problem(place.nobody().post("/links/follow", more).await).await.0, 422);
    let short = json!({ "secret": secret, "name": "vera", "password": "short" });
    assert_eq!(problem(place.nobody().post("/links/follow", short).await).await, (400, "password-too-short".into()));
    let body = json!({ "secret": secret, "name": "vera", "password": PASSWORD });
    let answer = place.nobody().post("/links/follow", body).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let me = place.nobody().with_cookie(&cookie_of(&answer)).read("/me").await;
    assert_eq!((&me["user"]["role"], &me["scopes"]), (&json!("viewer"), &json!(["read"])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_link_signs_out_and_changes_one_password() {
    let place = Place::new().await;
    let admin = place.person("ana", Role::Admin).await;
    let max = place.person("max", Role::Member).await;
    let id = place.app.user("max").await.unwrap().id;
    let link = well(admin.post(&format!("/users/{id}/password-link"), json!({})).await).await;
    let secret = link["url"].as_str().unwrap().split_once('#').unwrap().1;
    let body = json!({ "secret": secret, "password": "another long password" });
    assert_eq!(place.nobody().post("/links/follow", body).await.status(), 201);
    assert_eq!(max.get("/me").await.status(), 401);
    let old = place.nobody().post("/sessions", json!({ "name": "max", "password": PASSWORD })).await;
    assert_eq!(problem(old).await, (401, "sign-in-failed".into()));
    let new = place.nobody().post("/sessions", json!({ "name": "MAX", "password": "another long password" })).await;
    assert_eq!(new.status(), 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_an_unknown_name_and_a_disabled_user_look_alike() {
    let place = Place::new().await;
    place.person("ana", Role::Admin).await;
    place.person("max", Role::Member).await;
    let id = place.app.user("max").await.unwrap().id;
    let change = atelier_app::accounts::PersonChange { disabled: Some(true), ..Default::default() };
    place.app.change_user(&id, &change, &Origin::default()).await.unwrap();
    let mut said = Vec::new();
    for (name, password) in [("ana", "wrong wrong wrong"), ("nobody", PASSWORD), ("max", PASSWORD)] {
        let answer = place.nobody().post("/sessions", json!({ "name": name, "password": password })).await;
        let mut body: serde_json::Value = answer.json().await.unwrap();
        body["request_id"] = json!("");
        said.push(body);
    }
    assert!(said.iter().all(|one| *one == said[0]), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_at_one_account_are_limited_and_say_how_long() {
    let place = Place::new().await;
    place.person("ana", Role::Admin).await;
    let mut last = None;
    for _ in 0..7 {
        let answer = place.nobody().post("/sessions", json!({ "name": "Ana", "password": "wrong wrong wrong" })).await;
        last = Some(answer);
    }
    let last = last.unwrap();
    assert!(last.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);
    assert_eq!(problem(last).await, (429, "too-many-attempts".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_again_ends_the_session_that_the_browser_had() {
    let place = Place::new().await;
    let first = place.person("ana", Role::Admin).await;
    let again = first.post("/sessions", json!({ "name": "ana", "password": PASSWORD })).await;
    let again = place.nobody().with_cookie(&cookie_of(&again));
    assert_eq!(first.get("/me").await.status(), 401);
    assert_eq!(again.get("/me").await.status(), 200);
    let out = again.delete("/sessions/current").await;
    assert!(out.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(again.get("/me").await.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_is_kept_from_scripts_and_other_sites() {
    let place = Place::new().await;
    let answer = place.nobody().post("/sessions/here", json!({})).await;
    let set = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/"), "{set}");
    let admin = place.nobody().with_cookie(&cookie_of(&answer));
    let made = well(admin.post("/tokens", json!({ "name": "ci", "scopes": ["read"] })).await).await;
    assert!(made["token"].as_str().unwrap().starts_with("atelier_"));
    // What opens a door is shown once, and never again.
    assert!(!admin.read("/credentials").await.to_string().contains(made["token"].as_str().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_makes_and_widens_nothing() {
    let place = Place::new().await;
    place.person("ana", Role::Admin).await;
    let program = place.program("ana", &Scope::ALL).await;
    for (path, body) in [
        ("/tokens", json!({ "name": "more", "scopes": ["admin"] })),
        ("/users/invitations", json!({ "role": "admin" })),
    ] {
        assert_eq!(problem(program.post(path, body).await).await, (403, "not-allowed".into()), "{path}");
    }
    let answer = program.patch("/me", json!({ "password": "another long password" })).await;
    assert_eq!(problem(answer).await, (403, "not-allowed".into()));
    let max = place.person("max", Role::Member).await;
    let more = max.post("/tokens", json!({ "name": "more", "scopes": ["admin"] })).await;
    assert_eq!(problem(more).await, (400, "scope-invalid".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_administrator_stays_one() {
    let place = Place::new().await;
    let admin = place.person("ana", Role::Admin).await;
    let id = place.app.user("ana").await.unwrap().id;
    // This machine's own user can't come in, and is none that could help.
    well(admin.patch("/users/local", json!({ "disabled": true })).await).await;
    let answer = admin.patch(&format!("/users/{id}"), json!({ "role": "member" })).await;
    assert_eq!(problem(answer).await, (409, "last-admin".into()));
    assert_eq!(admin.get("/users").await.status(), 200);
    let log = admin.read("/audit").await.to_string();
    assert!(log.contains("user-added") && log.contains("signed-in"), "{log}");
    assert!(!log.contains(PASSWORD));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_not_listen_where_strangers_could_come_in() {
    let place = Place::new().await;
    let listening = |settings| {
        let app = place.app.clone();
        async move {
            let (_stop, stopped) = atelier_engine::StopHandle::new();
            atelier_server::serve(app, settings, stopped).await.map(|serving| serving.address)
        }
    };
    let everywhere = atelier_server::ServeSettings { address: ([0, 0, 0, 0], 0).into(), ..settings() };
    assert_eq!(listening(everywhere.clone()).await.unwrap_err().code(), "unsafe-listening");
    let proxied = atelier_server::ServeSettings { behind_proxy: true, ..settings() };
    assert_eq!(listening(proxied.clone()).await.unwrap_err().code(), "unsafe-listening");
    place.person("ana", Role::Admin).await;
    // Passwords in the open, and an address that is not known.
    assert_eq!(listening(everywhere).await.unwrap_err().code(), "unsafe-listening");
    assert_eq!(listening(proxied.clone()).await.unwrap_err().code(), "unsafe-listening");
    let fine = atelier_server::ServeSettings { public_url: Some("https://studio.example.org".into()), ..proxied };
    assert!(listening(fine).await.is_ok());
}

//! A walk over every route of the document, with what should let nobody in.

use std::time::Duration;

use atelier_app::accounts::{NewToken, Origin, Role, Scope};
use reqwest::Method;
use serde_json::{Value, json};

use crate::place::{Asker, Place, png, two_images, until_made, well};

/// A route of the document, with its path filled in.
struct Route {
    method: Method,
    path: String,
    scope: String,
    persons_only: bool,
}

fn routes(fill: impl Fn(&str, &str) -> String) -> Vec<Route> {
    let document: Value = serde_json::from_str(&atelier_server::document()).unwrap();
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let filled = fill(path, operation["operationId"].as_str().unwrap());
            routes.push(Route {
                method: method.to_uppercase().parse().unwrap(),
                path: filled.trim_start_matches("/api/v1").to_owned(),
                scope: operation["x-atelier-access"]["scope"].as_str().unwrap().to_owned(),
                persons_only: operation["x-atelier-access"]["person"] == true,
            });
        }
    }
    assert!(routes.len() > 80);
    routes
}

fn anything(path: &str, _: &str) -> String {
    ["{id}", "{name}", "{provider}", "{account}"].iter().fold(path.to_owned(), |path, part| path.replace(part, "any"))
}

async fn status(asker: &Asker, route: &Route) -> u16 {
    let request = asker.request(route.method.clone(), &route.path).header("idempotency-key", "walk");
    let request =
        if route.method == Method::GET || route.method == Method::DELETE { request } else { request.json(&json!({})) };
    request.timeout(Duration::from_secs(20)).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_is_open_that_does_not_say_so() {
    let place = Place::new().await;
    place.person("ana", Role::Admin).await;
    let user = place.app.user("ana").await.unwrap();
    let ended = NewToken { name: "ended".into(), scopes: Scope::ALL.to_vec(), lasts: Some(Duration::ZERO) };
    let ended = place.app.make_token(&user, &ended, &Origin::default()).await.unwrap();
    let askers = [
        ("without", place.nobody()),
        ("with a wrong token", place.nobody().with_token("atelier_0000")),
        ("with a wrong cookie", place.nobody().with_cookie("atelier=0000")),
        ("with an empty token", place.nobody().with_token("")),
        ("with a token that has ended", place.nobody().with_token(ended.secret.reveal())),
    ];
    for route in routes(anything) {
        for (how, asker) in &askers {
            let status = status(asker, &route).await;
            if route.scope == "open" {
                assert_ne!(status, 500, "{} {} {how}", route.method, route.path);
            } else {
                assert_eq!(status, 401, "{} {} {how}", route.method, route.path);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_wants_its_scope_whatever_the_role_and_the_credential() {
    let place = Place::new().await;
    place.person("ana", Role::Admin).await;
    place.person("max", Role::Member).await;
    place.person("vera", Role::Viewer).await;
    let roles = [("ana", 4), ("max", 3), ("vera", 1)];
    for (name, allowed) in roles {
        let session = place.sign_in(name).await;
        let mut askers = vec![(None, session)];
        for scope in &Scope::ALL[..allowed] {
            askers.push((Some(*scope), place.program(name, &[*scope]).await));
        }
        for route in routes(anything).iter().filter(|route| route.scope != "open" && !route.path.starts_with("/events"))
        {
            for (scope, asker) in &askers {
                let may = match scope {
                    None => Scope::ALL[..allowed].iter().any(|scope| scope.name() == route.scope),
                    Some(scope) => scope.name() == route.scope && !route.persons_only,
                };
                let status = status(asker, route).await;
                let who = format!("{name} with {scope:?}: {} {}", route.method, route.path);
                if may {
                    assert!(!matches!(status, 401 | 403 | 500), "{who}: {status}");
                } else {
                    assert_eq!(status, 403, "{who}");
                }
            }
        }
    }
}

/// Everything that somebody has is not there for anybody else, bytes included.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_anothers_is_not_there() {
    let place = Place::new().await;
    let owner = place.person("ana", Role::Member).await;
    let other = place.person("max", Role::Member).await;
    let admin = place.person("root", Role::Admin).await;
    let made = well(owner.post_once("k", "/generations", two_images("a lamp")).await).await;
    let generation = made["generation"].as_str().unwrap().to_owned();
    let image = made["images"][0]["id"].as_str().unwrap().to_owned();
    until_made(&owner, &generation).await;
    let upload =
        well(owner.send("/uploads?name=a.png", png(200, 10, 10)).await).await["id"].as_str().unwrap().to_owned();
    let project = json!({ "name": "hers", "finder": include_str!("../../../../assets/samples/finder.yml") });
    well(owner.post("/projects", project).await).await;
    let prompts = well(owner.send("/prompts?name=p.jsonl", b"{\"prompt\": \"hello\"}\n".to_vec()).await).await;
    let prompts = prompts["id"].as_str().unwrap().to_owned();
    let credential = owner.read("/credentials").await["credentials"][0]["id"].as_str().unwrap().to_owned();
    let fill = |path: &str, operation: &str| {
        let id = match path {
            path if path.contains("/generations/") || path.contains("/jobs/") => &generation,
            path if path.contains("/prompts/") => &prompts,
            path if path.contains("/uploads/") => &upload,
            path if path.contains("/credentials/") => &credential,
            path if path.contains("/v1/images/") => &image,
            _ => operation,
        };
        path.replace("{id}", id).replace("{name}", "hers")
    };
    let concerns = |path: &str| {
        ["/generations/", "/jobs/", "/prompts/", "/uploads/", "/credentials/", "/projects/hers"]
            .iter()
            .any(|part| path.contains(part))
            || path.starts_with("/images/img")
    };
    let mut walked = 0;
    for route in routes(fill).iter().filter(|route| concerns(&route.path) && !route.path.contains("preview")) {
        for asker in [&other, &admin] {
            let status = status(asker, route).await;
            // What is said to be wrong with a body is said before anything is looked up.
            assert!(matches!(status, 404 | 422 | 415), "{} {}: {status}", route.method, route.path);
            walked += 1;
        }
    }
    assert!(walked > 40, "{walked}");
    for path in
        [format!("/images/{image}/file"), format!("/images/{image}/thumbnail"), format!("/uploads/{upload}/content")]
    {
        assert_eq!(owner.get(&path).await.status(), 200, "{path}");
        assert_eq!(other.get(&path).await.status(), 404, "{path}");
    }
}

//! A server of its own for each test, and people who ask it.

use std::sync::Arc;
use std::time::Duration;

use atelier_app::accounts::{NewPerson, NewToken, Origin, Role, Scope, Secret};
use atelier_app::{App, Start};
use atelier_engine::{Clock, StopHandle};
use atelier_server::{ServeSettings, Serving, serve};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The password of everybody here.
pub(crate) const PASSWORD: &str = "a quite long password";

/// A server with its data.
pub(crate) struct Place {
    pub(crate) dir: Arc<TempDir>,
    pub(crate) app: App,
    pub(crate) url: String,
    stop: StopHandle,
    serving: Option<Serving>,
}

/// Somebody who asks.
#[derive(Clone)]
pub(crate) struct Asker {
    url: String,
    client: Client,
    header: Option<(&'static str, String)>,
}

/// A client without a proxy: everything here is on this machine.
pub(crate) fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().unwrap()
}

pub(crate) fn settings() -> ServeSettings {
    ServeSettings {
        address: ([127, 0, 0, 1], 0).into(),
        public_url: None,
        behind_proxy: false,
        trusted_proxies: Vec::new(),
        hosts: Vec::new(),
        patience: Duration::from_secs(20),
        samples: false,
    }
}

pub(crate) fn app_in(dir: &TempDir) -> App {
    // A provider that must not be reached is not reached.
    let environment = Arc::new(|_: &str| None);
    let data_dir = Some(dir.path().join("data"));
    App::start(Start { config: None, data_dir, environment, clock: Clock::system() }).unwrap()
}

impl Place {
    pub(crate) async fn new() -> Self {
        Self::in_dir(Arc::new(tempfile::tempdir().unwrap()), settings()).await
    }

    pub(crate) async fn in_dir(dir: Arc<TempDir>, settings: ServeSettings) -> Self {
        Self::of(app_in(&dir), dir, settings).await
    }

    pub(crate) async fn of(app: App, dir: Arc<TempDir>, settings: ServeSettings) -> Self {
        let (stop, stopped) = StopHandle::new();
        let serving = serve(app.clone(), settings, stopped).await.unwrap();
        let url = format!("http://{}", serving.address);
        Self { dir, app, url, stop, serving: Some(serving) }
    }

    /// Ends the server as a signal would, and gives its folder back.
    pub(crate) async fn end(mut self) -> Arc<TempDir> {
        self.stop.stop();
        self.serving.take().unwrap().ended().await;
        Arc::clone(&self.dir)
    }

    pub(crate) fn nobody(&self) -> Asker {
        Asker { url: self.url.clone(), client: client(), header: None }
    }

    /// Somebody of this role, who has signed in with a password.
    pub(crate) async fn person(&self, name: &str, role: Role) -> Asker {
        let password = Some(Secret::given(PASSWORD));
        let person = NewPerson { name: name.into(), shown: None, role, password, identity: None };
        self.app.add_user(&person, &Origin::default()).await.unwrap();
        self.sign_in(name).await
    }

    pub(crate) async fn sign_in(&self, name: &str) -> Asker {
        let answer = self.nobody().post("/sessions", json!({ "name": name, "password": PASSWORD })).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        self.nobody().with_cookie(&cookie_of(&answer))
    }

    /// A program that asks in somebody's name.
    pub(crate) async fn program(&self, name: &str, scopes: &[Scope]) -> Asker {
        let user = self.app.user(name).await.unwrap();
        let new = NewToken { name: "test".into(), scopes: scopes.to_vec(), lasts: None };
        let made = self.app.make_token(&user, &new, &Origin::default()).await.unwrap();
        self.nobody().with_token(made.secret.reveal())
    }
}

/// The cookie that an answer sets.
pub(crate) fn cookie_of(answer: &Response) -> String {
    let set = answer.headers()["set-cookie"].to_str().unwrap();
    set.split(';').next().unwrap().to_owned()
}

impl Asker {
    pub(crate) fn with_cookie(&self, cookie: &str) -> Self {
        Self { header: Some(("cookie", cookie.to_owned())), ..self.clone() }
    }

    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { header: Some(("authorization", format!("Bearer {token}"))), ..self.clone() }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}/api/v1{path}", self.url));
        match &self.header {
            Some((name, value)) => request.header(*name, value),
            None => request,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Response {
        self.request(Method::POST, path).json(&body).send().await.unwrap()
    }

    /// The same, of what costs something.
    pub(crate) async fn post_once(&self, key: &str, path: &str, body: Value) -> Response {
        self.request(Method::POST, path).header("idempotency-key", key).json(&body).send().await.unwrap()
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Response {
        self.request(Method::PATCH, path).json(&body).send().await.unwrap()
    }

    pub(crate) async fn delete(&self, path: &str) -> Response {
        self.request(Method::DELETE, path).send().await.unwrap()
    }

    /// Sends a file.
    pub(crate) async fn send(&self, path: &str, content: Vec<u8>) -> Response {
        self.request(Method::POST, path).body(content).send().await.unwrap()
    }

    /// What a route gives, which has to go well.
    pub(crate) async fn read(&self, path: &str) -> Value {
        well(self.get(path).await).await
    }
}

/// The body of an answer that has to be a good one.
pub(crate) async fn well(answer: Response) -> Value {
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{status}: {text}");
    if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
}

/// The status and the code of an answer that has to be a problem.
pub(crate) async fn problem(answer: Response) -> (u16, String) {
    let status = answer.status();
    assert_eq!(answer.headers()["content-type"], "application/problem+json", "{status}");
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["status"], status.as_u16());
    assert!(body["request_id"].as_str().is_some_and(|id| !id.is_empty()));
    (status.as_u16(), body["code"].as_str().unwrap().to_owned())
}

/// A picture of one colour, in PNG.
pub(crate) fn png(red: u8, green: u8, blue: u8) -> Vec<u8> {
    let picture = image::RgbImage::from_fn(96, 64, |x, y| {
        // Something to be seen: two pictures of one colour would be nearly the same.
        if (x / 8 + y / 8 + u32::from(red) / 16) % 3 == 0 {
            image::Rgb([green, blue, red])
        } else {
            image::Rgb([red, green, blue])
        }
    });
    let mut file = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut file, image::ImageFormat::Png).unwrap();
    file.into_inner()
}

/// What is asked to be made in these tests: by the sandbox, for nothing.
pub(crate) fn two_images(prompt: &str) -> Value {
    json!({ "request": { "prompt": prompt, "count": 2, "sides": [{ "model": "sandbox:gemini-3.1-flash-image", "references": "off" }] } })
}

/// Waits until what is read is as it should be. What is waited for is told by the server's own events elsewhere; here it is
/// asked again and again.
pub(crate) async fn until(asker: &Asker, path: &str, is: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..600 {
        let read = asker.read(path).await;
        if is(&read) {
            return read;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{path} did not become what it should: {}", asker.read(path).await);
}

pub(crate) async fn until_made(asker: &Asker, generation: &str) -> Value {
    until(asker, &format!("/generations/{generation}"), |read| {
        read["images"].as_array().unwrap().iter().all(|image| image["state"] == "done")
    })
    .await
}

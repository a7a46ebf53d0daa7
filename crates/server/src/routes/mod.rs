//! The routes, a file for each resource.

mod accounts;
mod collections;
mod costs;
mod drafts;
mod edits;
mod events;
mod generations;
mod health;
mod jobs;
mod library;
mod made;
mod models;
mod oidc;
mod page;
mod projects;
mod prompts;
mod providers;
mod quotas;
mod samples;
mod search;
mod setup;
mod sign_in;
mod studio;
mod trash;
mod uploads;

/// The files of the web studio, as it was built.
mod files {
    include!(concat!(env!("OUT_DIR"), "/studio_files.rs"));
}

use atelier_app::views::{CostBy, EventView};
use axum::Router;
use axum::middleware::from_fn_with_state;
use serde_json::json;
use utoipa::OpenApi as _;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, OpenApi, PathItem, Ref, Response, ResponseBuilder};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::http::ProblemBody;
use crate::sign_in::{Access, guard};
use crate::state::Server;

/// Where the API begins.
const BASE: &str = "/api/v1";

/// Under which extension the document names the rule of a route.
const RULE: &str = "x-atelier-access";

/// The API's document, before there are routes in it.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Atelier",
        description = "Images, replies and prompts by rate-limited, paid models: searched, made, compared, reviewed.\n\n\
            Programs send `Authorization: Bearer TOKEN`; a browser has a cookie. What costs money takes an \
            `Idempotency-Key`, and is done once however often it is sent. Errors are `application/problem+json`. Lists are \
            paged by `after`, the `next` of the page before. What changes is told by `GET /events`."
    ),
    // What stands in parameters only is not found by itself.
    components(schemas(ProblemBody, CostBy, EventView, search::Fields))
)]
struct Document;

/// Routes with their rules.
struct Routes {
    router: OpenApiRouter<Server>,
    /// What rules are asked with; none where only the document is wanted.
    server: Option<Server>,
}

impl Routes {
    /// Adds routes that whoever has this access may use. The rule stands in the document, too.
    fn add(mut self, access: Access, (schemas, mut paths, methods): UtoipaMethodRouter<Server>) -> Self {
        for item in paths.paths.values_mut() {
            note_rule(item, access);
        }
        let methods = match &self.server {
            Some(server) => methods.route_layer(from_fn_with_state((server.clone(), access), guard)),
            None => methods,
        };
        self.router = self.router.routes((schemas, paths, methods));
        self
    }
}

/// All routes of the API, with its document.
fn all(server: Option<Server>) -> (Router<Server>, OpenApi) {
    let routes = Routes { router: OpenApiRouter::new(), server };
    let routes = sign_in::add(routes);
    let routes = oidc::add(routes);
    let routes = accounts::add(routes);
    let routes = library::add(routes);
    let routes = samples::add(routes);
    let routes = collections::add(routes);
    let routes = search::add(routes);
    let routes = uploads::add(routes);
    let routes = generations::add(routes);
    let routes = edits::add(routes);
    let routes = made::add(routes);
    let routes = projects::add(routes);
    let routes = drafts::add(routes);
    let routes = prompts::add(routes);
    let routes = providers::add(routes);
    let routes = setup::add(routes);
    let routes = jobs::add(routes);
    let routes = quotas::add(routes);
    let routes = costs::add(routes);
    let routes = models::add(routes);
    let routes = trash::add(routes);
    let routes = events::add(routes);
    let whole = OpenApiRouter::with_openapi(Document::openapi()).nest(BASE, routes.router);
    let (router, mut document) = whole.split_for_parts();
    add_problems(&mut document);
    (router, document)
}

/// The routes of a server.
pub(crate) fn router(server: &Server) -> Router<Server> {
    let (api, _) = all(Some(server.clone()));
    api.merge(health::routes()).merge(page::routes(server)).merge(studio::routes())
}

/// The API's document, OpenAPI 3.1, as JSON.
#[must_use]
pub fn document() -> String {
    let (_, document) = all(None);
    document.to_pretty_json().unwrap_or_default()
}

fn note_rule(item: &mut PathItem, access: Access) {
    let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch];
    for operation in operations.into_iter().flatten() {
        // One value: several extensions would stand in no order.
        let rule = json!({ "scope": access.name(), "person": matches!(access, Access::Person(_)) });
        operation.extensions = Some(ExtensionsBuilder::new().add(RULE, rule).build());
        operation.security = (access != Access::Open).then(|| {
            let by = |name: &str| SecurityRequirement::new(name, Vec::<String>::new());
            if matches!(access, Access::Person(_)) { vec![by("session")] } else { vec![by("token"), by("session")] }
        });
    }
}

/// Every route may answer with these problems.
const PROBLEMS: [(&str, &str); 17] = [
    ("400", "What was asked for can't be understood, or can't be done as it is asked for"),
    ("401", "It is not known who asks"),
    ("402", "It could cost more than the budget"),
    ("403", "Whoever asks may not, or asks from another site"),
    ("404", "It is not there, or is somebody else's"),
    ("405", "This can't be done here"),
    ("409", "It is at odds with how things stand"),
    ("412", "It has changed since"),
    ("413", "It is larger than what is taken"),
    ("415", "It is of a kind that is not taken here"),
    ("416", "There is no such part of it"),
    ("421", "This server is not asked under that name"),
    ("422", "What was sent is not sound: every fault is named by its place"),
    ("429", "A limit has to reset first"),
    ("500", "A defect of this program"),
    ("502", "A provider failed"),
    ("503", "The server has too much to do, or something on its machine is in the way"),
];

fn add_problems(document: &mut OpenApi) {
    use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch];
        for operation in operations.into_iter().flatten() {
            for (status, _) in PROBLEMS {
                let name = format!("Problem{status}");
                let responses = &mut operation.responses.responses;
                responses.entry(status.to_owned()).or_insert_with(|| Ref::from_response_name(name).into());
            }
        }
    }
    let components = document.components.get_or_insert_with(Default::default);
    for (status, description) in PROBLEMS {
        components.responses.insert(format!("Problem{status}"), problem(description).into());
    }
    let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("A token: `atelier tokens add`"));
    components.add_security_scheme("token", SecurityScheme::Http(token.build()));
    components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("atelier"))));
}

fn problem(description: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().description(description).content("application/problem+json", content).build()
}

//! The library over the wire: files in, bytes out, its shape.

use atelier_app::accounts::Role;
use reqwest::Method;
use serde_json::json;

use crate::place::{Place, png, problem, well};

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_is_sent_twice_is_one_image_and_is_found() {
    let place = Place::new().await;
    let ana = place.person("ana", Role::Member).await;
    let first = ana.send("/library/images?name=red%20lamp.png&tag=lamps", png(220, 20, 20)).await;
    assert_eq!(first.status(), 201);
    let first = well(first).await;
    assert_eq!((&first["outcome"], &first["image"]["labels"]), (&json!("imported"), &json!(["lamps"])));
    let again = ana.send("/library/images?name=other.png", png(220, 20, 20)).await;
    assert_eq!(again.status(), 200);
    assert_eq!(well(again).await["image"]["id"], first["image"]["id"]);
    assert_eq!(ana.read("/library/images").await["total"], 1);
    let found = ana.read("/search?q=lamp").await;
    assert_eq!(found["hits"][0]["id"], first["image"]["id"], "{found}");
    assert_eq!(ana.read("/library/images?tag=lamps").await["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_picture_is_refused_and_says_why() {
    let place = Place::new().await;
    let ana = place.person("ana", Role::Member).await;
    for (content, code) in [
        (b"<html><script>alert(1)</script>".to_vec(), "picture-unknown"),
        (Vec::new(), "picture-empty"),
        (png(1, 2, 3)[..60].to_vec(), "picture-truncated"),
    ] {
        for path in ["/library/images?name=a.png", "/uploads?name=a.png"] {
            let answer = ana.send(path, content.clone()).await;
            let (status, found) = problem(answer).await;
            assert_eq!(status, 400, "{path}: {found}");
            assert_eq!(found, code, "{path}");
        }
    }
    assert_eq!(ana.read("/library/images").await["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_are_kept_by_browsers_and_given_in_parts() {
    let place = Place::new().await;
    let ana = place.person("ana", Role::Member).await;
    let content = png(20, 220, 20);
    let image = well(ana.send("/library/images?name=a.png", content.clone()).await).await;
    let path = format!("/library/images/{}/original", image["image"]["id"].as_str().unwrap());
    let whole = ana.get(&path).await;
    let headers = whole.headers().clone();
    assert_eq!(headers["content-type"], "image/png");
    assert_eq!(headers["cache-control"], "private, max-age=31536000, immutable");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert!(headers["content-security-policy"].to_str().unwrap().contains("sandbox"));
    assert_eq!(headers["vary"], "Cookie, Authorization");
    assert_eq!(whole.bytes().await.unwrap(), content);
    let with = |name: &'static str, value: String| ana.request(Method::GET, &path).header(name, value);
    let tag = headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(with("if-none-match", tag.clone()).send().await.unwrap().status(), 304);
    let part = with("range", "bytes=10-19".into()).send().await.unwrap();
    assert_eq!(part.status(), 206);
    assert_eq!(part.headers()["content-range"], format!("bytes 10-19/{}", content.len()).as_str());
    assert_eq!(part.bytes().await.unwrap(), content[10..20]);
    let beyond = with("range", format!("bytes={}-", content.len())).send().await.unwrap();
    assert_eq!(beyond.status(), 416);
    let stale = with("range", "bytes=0-1".into()).header("if-range", "\"another\"").send().await.unwrap();
    assert_eq!(stale.status(), 200);
    let download = ana.get(&format!("{path}?download=true")).await;
    assert!(download.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
    // And nobody has them who has only the address.
    let known = place.nobody().request(Method::GET, &path).header("if-none-match", tag).send().await.unwrap();
    assert_eq!(known.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layout_stays_what_it_is_while_images_come_and_go() {
    let place = Place::new().await;
    let ana = place.person("ana", Role::Member).await;
    let mut ids = Vec::new();
    for red in [10, 60, 110, 160, 210] {
        let sent = ana.send(&format!("/library/images?name={red}.png"), png(red, 255 - red, 90)).await;
        ids.insert(0, well(sent).await["image"]["id"].as_str().unwrap().to_owned());
    }
    let layout = ana.get("/library/layout").await;
    let snapshot = layout.headers()["atelier-snapshot"].to_str().unwrap().to_owned();
    // 96 × 64 is 1.5 to 1: 128 + 32 × log₂ 1.5.
    assert_eq!(layout.bytes().await.unwrap(), vec![147_u8; 5]);
    well(ana.send("/library/images?name=new.png", png(250, 250, 0)).await).await;
    well(ana.post("/library/removals", json!({ "ids": [ids[1]] })).await).await;
    let slice = ana.read(&format!("/library/slice?snapshot={snapshot}&from=1&count=3")).await;
    let placed: Vec<_> = slice["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["place"].as_u64().unwrap(), one["id"].as_str().unwrap()))
        .collect();
    assert_eq!(placed, [(2, ids[2].as_str()), (3, ids[3].as_str())]);
    let gone = ana.get("/library/slice?snapshot=none&from=0&count=3").await;
    assert_eq!(problem(gone).await, (404, "no-such-snapshot".into()));
    // And back again.
    let trash = ana.read("/trash").await;
    let deletion = trash["trash"][0]["id"].as_str().unwrap();
    well(ana.post("/trash/restorations", json!({ "ids": [deletion] })).await).await;
    assert_eq!(ana.read("/library/images").await["total"], 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn words_of_images_are_changed_for_many_at_once() {
    let place = Place::new().await;
    let (ana, vera) = (place.person("ana", Role::Member).await, place.person("vera", Role::Viewer).await);
    let mut ids = Vec::new();
    for red in [10, 110] {
        let sent = well(ana.send(&format!("/library/images?name={red}.png"), png(red, 255 - red, 90)).await).await;
        ids.push(sent["image"]["id"].as_str().unwrap().to_owned());
    }
    let edit = json!({ "ids": ids, "caption": "a quiet harbour", "add_tags": ["sea"], "add_collections": ["trips"] });
    assert_eq!(problem(vera.patch("/library/images", edit.clone()).await).await, (403, "not-allowed".into()));
    assert_eq!(well(ana.patch("/library/images", edit).await).await["changed"], 2);
    assert_eq!(vera.read("/library/tags").await["names"], json!([{ "name": "sea", "images": 2 }]));
    assert_eq!(vera.read("/search?q=quiet%20harbour").await["total"], 2);
    let none = ana.patch("/library/images", json!({ "ids": [ids[0], "none"], "caption": "x" })).await;
    assert_eq!(problem(none).await, (404, "no-such-image".into()));
    assert_eq!(vera.read(&format!("/library/images/{}", ids[0])).await["caption"], "a quiet harbour");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_sees_by_what_the_library_is_searched_and_how_far_that_is() {
    let place = Place::new().await;
    let root = place.person("root", Role::Admin).await;
    let ana = place.person("ana", Role::Member).await;
    well(ana.send("/library/images?name=lamp.png", png(220, 20, 20)).await).await;
    assert_eq!(ana.get("/setup").await.status(), 403);
    let setup = root.read("/setup").await;
    let library = &setup["library"];
    assert_eq!((&library["images"], &library["missing"], &library["underway"]), (&json!(1), &json!(0), &json!(false)));
    assert!(library["text"].as_str().unwrap().starts_with("minilm"), "{library}");
    assert_eq!(setup["sign_in"], json!([]));
}

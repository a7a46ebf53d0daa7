//! Describing: a kind of work that was added beside the others, and gets all that they get.

use atelier_app::{RunChange, RunSettings};
use atelier_engine::{JobId, RunEnd, Stop};
use atelier_studio::describe::ImageDescription;
use atelier_studio::library::ImageEdit;
use atelier_studio::library::import::{ImportOptions, ImportSource};

use crate::fixtures::{Studio, dollars};

const MODEL: &str = "sandbox:gemini-2.5-flash";

async fn with_images(count: u8) -> (Studio, Vec<String>) {
    let studio = Studio::new();
    let folder = studio.path("photos");
    std::fs::create_dir(&folder).unwrap();
    for number in 0..count {
        let shade = |x: u32, y: u32| {
            let along = if number % 2 == 0 { x } else { y };
            image::Rgb([number * 40, u8::try_from(along * 2).unwrap(), 255 - number * 30])
        };
        image::RgbImage::from_fn(96, 96, shade).save(folder.join(format!("{number}.png"))).unwrap();
    }
    let options = ImportOptions::default();
    let sources = vec![ImportSource::Path(folder)];
    let imported = studio.app.import_images(sources, options, &Stop::never(), |_| {}, |_| {}).await.unwrap();
    assert_eq!(imported.report.imported, u64::from(count));
    let ids = studio.app.images(&Default::default(), None, 10).await.unwrap().images;
    (studio, ids.into_iter().map(|image| image.id).collect())
}

async fn submitted(studio: &Studio, ids: &[String], run: RunChange) -> JobId {
    studio.app.submit_describing(ids, RunSettings::new(MODEL, &run)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn images_get_captions_and_tags_and_words_that_somebody_wrote_stay() {
    let (studio, ids) = with_images(2).await;
    let edit = ImageEdit { caption: Some(Some("mine".into())), add_tags: vec!["mine".into()], ..ImageEdit::default() };
    studio.app.edit_images(&ids[..1], &edit).await.unwrap();
    let job = submitted(&studio, &ids, RunChange::default()).await;
    let worked = studio.work(&job).await.unwrap();
    assert_eq!((worked.end, worked.job.kind.as_str(), worked.job.counts.done), (RunEnd::Done, "describing", 2));
    let (first, second) = (studio.app.image(&ids[0]).await.unwrap(), studio.app.image(&ids[1]).await.unwrap());
    assert_eq!(first.caption.as_deref(), Some("mine"));
    assert!(first.labels.contains(&"mine".to_owned()) && first.labels.len() > 1, "{:?}", first.labels);
    assert!(second.caption.is_some_and(|caption| !caption.is_empty()) && !second.labels.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_stopped_resumed_and_given_up_like_any_other() {
    let (studio, ids) = with_images(2).await;
    let job = submitted(&studio, &ids, RunChange { max_cost: dollars(0.000_001), ..RunChange::default() }).await;
    assert_eq!(studio.work(&job).await.unwrap().end, RunEnd::OverBudget);
    assert_eq!(studio.work(&job).await.unwrap().end, RunEnd::OverBudget);
    let more = RunChange { max_cost: dollars(1.0), ..RunChange::default() };
    assert_eq!(studio.work_with(&job, &more).await.unwrap().end, RunEnd::Done);
    let other = submitted(&studio, &ids, RunChange::default()).await;
    assert_eq!(studio.app.cancel_job(&other).await.unwrap().given_up, 2);
    assert_eq!(studio.work(&other).await.unwrap_err().code(), "job-cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_gone_when_its_turn_comes_fails_alone() {
    let (studio, ids) = with_images(2).await;
    let job = submitted(&studio, &ids, RunChange::default()).await;
    studio.app.library().unwrap().remove(&ids[..1]).await.unwrap();
    let worked = studio.work(&job).await.unwrap();
    assert_eq!((worked.end, worked.job.counts.done, worked.job.counts.failed), (RunEnd::Done, 1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_model_says_that_can_not_be_a_tag_costs_that_tag_and_nothing_else() {
    let (studio, ids) = with_images(1).await;
    let description = ImageDescription {
        caption: "  A boat\n on the   sea ".into(),
        tags: vec!["  Red\n boat ".into(), "x".repeat(900), String::new(), "sea\u{0}".into(), "sea".into()],
    };
    let (library, now) = (studio.app.library().unwrap(), studio.app.clock().now());
    for _ in 0..2 {
        library.describe(&ids[0], &description, None, now).await.unwrap();
        let image = studio.app.image(&ids[0]).await.unwrap();
        assert_eq!(
            (image.caption.as_deref(), image.labels.contains(&"red boat".into())),
            (Some("A boat on the sea"), true)
        );
        assert!(image.labels.contains(&"sea".into()) && image.labels.iter().all(|tag| tag.len() < 300));
    }
}

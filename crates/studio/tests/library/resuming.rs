//! Imports that are stopped, killed, run again, and run beside each other.

use std::num::NonZeroUsize;
use std::sync::Arc;

use atelier_engine::{Clock, Stop, StopHandle};
use atelier_store::VectorSpace;
use atelier_store::objects::ObjectKey;
use atelier_studio::library::Embedders;
use atelier_studio::library::decode::DecodeLimits;
use atelier_studio::library::import::{ImportEvent, ImportOptions, ImportSource, Importer};

use crate::fixtures::*;

/// Every image has its files, every file an image.
async fn assert_whole(place: &Place, images: usize) {
    let there = place.images().await;
    assert_eq!(there.len(), images);
    for image in &there {
        for key in ObjectKey::all_of(&image.hash) {
            assert!(place.library.objects().get(&key).await.unwrap().is_some(), "{}", key.as_str());
        }
    }
}

fn photos(place: &Place, count: u32) {
    for n in 0..count {
        place.write(&format!("{n:03}.jpg"), photo(n));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_imported_is_known_and_not_read_again() {
    let place = Place::new();
    photos(&place, 6);
    place.import().await;
    // What is known by path, size and time is not opened: its content could be anything.
    let path = place.photos().join("003.jpg");
    let modified = path.metadata().unwrap().modified().unwrap();
    std::fs::write(&path, vec![0; photo(3).len()]).unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    let report = place.import().await;
    assert_eq!((report.known, report.imported, report.refused, report.files), (6, 0, 0, 6));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_changed_is_read_again() {
    let place = Place::new();
    photos(&place, 2);
    place.import().await;
    place.write("000.jpg", photo(50));
    // The same content, written anew: another time, the same image.
    let touched = place.write("001.jpg", photo(1));
    std::fs::File::options().write(true).open(touched).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    let report = place.import().await;
    assert_eq!((report.imported, report.known, report.duplicates), (1, 1, 0));
    assert_whole(&place, 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_is_stopped_goes_on_where_it_was() {
    let place = Place::new();
    photos(&place, 120);
    let (handle, stop) = StopHandle::new();
    let mut reported = 0;
    let importer = place.importer();
    let sources = || vec![ImportSource::Path(place.photos())];
    let report = importer.import(sources(), two_threads(), stop, |event| {
        if matches!(event, ImportEvent::File { .. }) {
            reported += 1;
            handle.stop();
        }
    });
    let report = report.await.unwrap();
    assert!(report.stopped);
    assert_eq!(reported, report.files);
    assert!(report.imported >= 1 && report.imported < 120, "{}", report.imported);
    assert_whole(&place, report.imported.try_into().unwrap()).await;
    let rest = importer.import(sources(), two_threads(), Stop::never(), |_| {}).await.unwrap();
    assert!(!rest.stopped);
    assert_eq!((rest.known, rest.known + rest.imported), (report.imported, 120));
    assert_whole(&place, 120).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_is_dropped_in_the_middle_leaves_whole_images() {
    let place = Place::new();
    photos(&place, 100);
    let mut before = 0;
    for _ in 0..4 {
        let (sender, dropped) = tokio::sync::oneshot::channel();
        let mut sender = Some(sender);
        let importer = place.importer();
        let import = importer.import(vec![ImportSource::Path(place.photos())], two_threads(), Stop::never(), |event| {
            if let ImportEvent::Progress(progress) = event
                && progress.imported > 0
            {
                sender.take().map(|sender| sender.send(()));
            }
        });
        tokio::select! {
            biased;
            _ = dropped => {}
            report = import => assert!(report.unwrap().files == 100),
        }
        let there = place.images().await.len();
        assert!(there >= before);
        before = there;
        assert_whole(&place, there).await;
    }
    let report = place.import().await;
    assert_eq!(report.known + report.imported, 100);
    assert_whole(&place, 100).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_files_give_the_same_library_on_any_number_of_threads() {
    let mut libraries = Vec::new();
    for threads in [1, 2, 5] {
        let mut kept = Vec::new();
        for (skip_near, left) in [(false, 12), (true, 4)] {
            let place = Place::new();
            for n in 0..12 {
                place.write(&format!("{n:02}.png"), png_of(&clouds(n / 3, 150 + n, 110 + n), 150 + n, 110 + n));
            }
            let threads = NonZeroUsize::new(threads).unwrap();
            place.outcomes(ImportOptions { threads, skip_near, ..ImportOptions::default() }).await;
            let images = place.images().await.into_iter();
            kept.push(images.map(|image| (image.id, image.filename, image.phash)).collect::<Vec<_>>());
            assert_eq!(kept.last().map(Vec::len), Some(left));
        }
        libraries.push(kept);
    }
    assert!(libraries.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_import_the_same_folder_at_the_same_time() {
    let place = Place::new();
    photos(&place, 60);
    let start = |library| {
        let importer = Importer::new(library, Embedders::default(), DecodeLimits::default(), Clock::starting_at(now()));
        let sources = vec![ImportSource::Path(place.photos())];
        tokio::spawn(async move { importer.import(sources, two_threads(), Stop::never(), |_| {}).await.unwrap() })
    };
    let (one, two) = (start(place.library.clone()), start(place.again()));
    let (one, two) = (one.await.unwrap(), two.await.unwrap());
    assert_eq!(one.imported + two.imported, 60);
    assert_eq!((one.refused, two.refused, one.files, two.files), (0, 0, 60, 60));
    assert_whole(&place, 60).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn near_duplicates_of_what_others_bring_in_are_seen() {
    let place = Place::new();
    let (mine, theirs) = (
        place.importer(),
        Importer::new(place.again(), Embedders::default(), DecodeLimits::default(), Clock::starting_at(now())),
    );
    let sent = |name: &str, content: Vec<u8>| vec![ImportSource::Bytes { name: name.into(), content: content.into() }];
    import(&mine, sent("a.jpg", photo(1)), two_threads()).await;
    import(&theirs, sent("b.png", png_of(&clouds(2, 300, 200), 300, 200)), two_threads()).await;
    let (report, _) = import(&mine, sent("b.jpg", jpeg_of(&clouds(2, 300, 200), 300, 200, 60)), two_threads()).await;
    assert_eq!((report.imported, report.near_duplicates), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_are_removed_and_imported_at_the_same_time() {
    let place = Place::new();
    photos(&place, 30);
    place.import().await;
    let ids: Vec<String> = place.images().await.into_iter().map(|image| image.id).collect();
    let library = place.again();
    let removing = tokio::spawn(async move {
        for ids in ids.chunks(3) {
            library.remove(ids).await.unwrap();
        }
    });
    // The same bytes come in under other names while their files are being deleted.
    let other = place.path("other");
    std::fs::create_dir(&other).unwrap();
    for n in 0..30 {
        std::fs::write(other.join(format!("{n}.jpg")), photo(n)).unwrap();
    }
    let importer = Arc::new(place.importer());
    for _ in 0..5 {
        import(&importer, vec![ImportSource::Path(other.clone())], two_threads()).await;
    }
    removing.await.unwrap();
    import(&importer, vec![ImportSource::Path(other)], two_threads()).await;
    assert_whole(&place, 30).await;
    assert_eq!(place.objects(), 90);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fails_ends_the_import_and_loses_nothing() {
    let place = Place::new();
    photos(&place, 3);
    place.import().await;
    photos(&place, 6);
    // A file stands where the folder of thumbnails was.
    let thumbs = place.path("data/objects/thumbs");
    std::fs::rename(&thumbs, place.path("away")).unwrap();
    std::fs::write(&thumbs, "").unwrap();
    let error =
        place.importer().import(vec![ImportSource::Path(place.photos())], two_threads(), Stop::never(), |_| {}).await;
    assert_eq!(error.unwrap_err().code(), "object-unusable");
    std::fs::remove_file(&thumbs).unwrap();
    std::fs::rename(place.path("away"), &thumbs).unwrap();
    assert_whole(&place, 3).await;
    assert_eq!(place.import().await.imported, 3);
    assert_whole(&place, 6).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_embedder_that_panics_harms_its_file_only() {
    struct Panics(Arc<TestEmbedder>);
    impl atelier_embed::LookEmbedder for Panics {
        fn id(&self) -> &atelier_embed::EmbedderId {
            atelier_embed::LookEmbedder::id(&*self.0)
        }
        fn meaning_dimensions(&self) -> usize {
            3
        }
        fn appearance_dimensions(&self) -> usize {
            4
        }
        fn look(
            &self,
            pictures: &[atelier_embed::Picture],
        ) -> Result<Vec<atelier_embed::Look>, atelier_embed::EmbedError> {
            assert!(pictures[0].width() != 77, "as it was made to");
            self.0.look(pictures)
        }
        fn query_id(&self) -> &atelier_embed::EmbedderId {
            self.0.query_id()
        }
        fn query(&self, texts: &[String]) -> Result<Vec<atelier_embed::Vector>, atelier_embed::EmbedError> {
            self.0.query(texts)
        }
        fn calibration(&self) -> Option<&atelier_embed::Calibration> {
            None
        }
    }
    let place = Place::new();
    place.write("a.jpg", photo(1));
    place.write("b.png", png_of(&clouds(2, 77, 60), 77, 60));
    place.write("c.jpg", photo(3));
    let look: Arc<dyn atelier_embed::LookEmbedder> = Arc::new(Panics(TestEmbedder::new("test/1")));
    let embedders = Embedders { text: None, look: Some(look) };
    let importer = Importer::new(place.library.clone(), embedders, DecodeLimits::default(), Clock::starting_at(now()));
    let (report, _) = import(&importer, vec![ImportSource::Path(place.photos())], two_threads()).await;
    assert_eq!((report.imported, report.refused), (2, 1));
    let lacking = place.library.store().unembedded_images("test/1", VectorSpace::Look, 0, 9).await.unwrap();
    assert_eq!(lacking, []);
}

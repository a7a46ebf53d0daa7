//! A project's finder.yml.

use atelier_replies::Finder;

/// A file.
pub fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    match Finder::from_yaml(&text) {
        Ok(finder) => {
            assert!(!finder.taxonomy.is_empty() && !finder.kinds().is_empty());
            // A job keeps it as JSON, and resumes with it.
            let kept = serde_json::to_string(&finder).expect("JSON");
            assert_eq!(serde_json::from_str::<Finder>(&kept).expect("what was kept"), finder);
            let task = atelier_replies::DraftTask::new([("bikes", &finder)], 0);
            assert!(atelier_engine::Task::pack_limit(&task) >= 1);
        }
        Err(error) => assert!(!error.to_string().is_empty() && !error.code().is_empty()),
    }
}

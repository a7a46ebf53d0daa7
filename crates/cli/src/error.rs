//! What an error says on the command line: how what its hint asks for is done here.

use atelier_app::AppError;

/// Which commands and flags do what a hint asks for, by the error's code; `{job}` is the job that it is about.
const HINTS: &[(&str, &str)] = &[
    ("bad-range", "give --from a day that is not after that of --until"),
    ("below-baseline", "if that is meant, save a new baseline with --save"),
    ("database-corrupt", "put a backup made by 'atelier backup' in its place, or move it away to start anew"),
    ("database-forbidden", "give your user the right to write there, or choose another place with --data-dir"),
    ("database-newer", "update atelier, or choose another data directory with --data-dir"),
    ("defaults-changed", "give --system, --temperature and --max-output-tokens as then, or another --out"),
    ("defaults-unused", "leave --system, --temperature and --max-output-tokens out, or say them in each line"),
    ("embedder-absent", "--fields lexical measures the words of images alone"),
    ("image-not-made", "'atelier images show' says why; 'atelier images retry' tries again"),
    ("import-bad-rows", "correct the rows, or import without --strict to skip them"),
    ("index-missing", "import images, or name the data directory that has some with --data-dir"),
    ("input-changed", "undo the change, or give the job up with 'atelier jobs cancel {job}', or give another --out"),
    ("model-changed", "name that model with --model, or give another --out"),
    ("models-differ", "name one with --model, or run the projects one by one"),
    ("no-data-dir", "give --data-dir or set ATELIER_DATA_DIR"),
    ("no-duplicates", "'atelier library duplicates' shows the groups there are"),
    ("no-project", "add one with 'atelier projects add NAME --finder finder.yml'"),
    ("no-such-collection", "'atelier library collections' shows the collections there are"),
    ("no-such-draft", "'atelier replies list' shows the drafts there are"),
    ("no-such-generation", "'atelier images list' shows what was made"),
    ("no-such-image", "'atelier library list' shows the images there are"),
    ("no-such-job", "'atelier jobs list' shows all there are"),
    ("no-such-made-image", "'atelier images list' shows what was made"),
    ("no-such-pool", "'atelier quota' shows all there are"),
    ("no-such-preset", "'atelier images presets' lists those of camera, lens and light"),
    ("no-such-project", "'atelier projects list' shows the projects there are, 'atelier projects add' makes one"),
    ("no-such-reference", "'atelier library list' shows the images there are"),
    ("not-classified", "name one with --category, or leave --classify out"),
    ("not-in-trash", "'atelier trash' shows what is in it"),
    ("not-submitted", "'atelier images generate --plan ID' sends it"),
    ("output-exists", "name another file with --out, or remove it"),
    ("plan-unusable", "make a new one: 'atelier images preview'"),
    ("posts-in-use", "resume that job to its end or cancel it with 'atelier jobs cancel', then try again"),
    ("price-unknown", "say what it costs with --price IN/OUT, or bring a table with 'atelier prices import'"),
    ("project-exists", "choose another name, or change it with 'atelier projects update'"),
    ("query-empty", "give words, an image, a colour, or a filter: --image, --like, --color, --filter"),
    ("side-of-image", "leave --side out"),
];

/// What to do about an error, on the command line.
pub(crate) fn hint(error: &AppError) -> Option<String> {
    let said = error.what_to_do();
    let own = HINTS.iter().find(|(code, _)| *code == error.code()).map(|(_, hint)| *hint);
    let hint = own.or(said).map(|hint| hint.replace("the model sandbox", "--model sandbox"));
    let Some(job) = error.job() else { return hint };
    match hint {
        Some(hint) if hint.contains("{job}") => Some(hint.replace("{job}", job)),
        // The job keeps the model that it was submitted with.
        Some(hint) if error.code() == "no-such-model" => {
            Some(format!("{hint}; then 'atelier jobs cancel {job}' and submit anew"))
        }
        hint => Some(format!("{}; then go on with {}", hint.as_deref().unwrap_or("see to that"), resume(job))),
    }
}

/// The command that goes on with a job, whatever its kind.
pub(crate) fn resume(job: &str) -> String {
    format!("'atelier jobs resume {job}'")
}

#[cfg(test)]
mod tests {
    use super::*;
    use atelier_app::error::class_of;

    #[test]
    fn hints_are_those_of_errors_that_there_are_each_once_and_in_order() {
        assert!(HINTS.is_sorted_by(|(one, _), (other, _)| one < other));
        let unknown: Vec<&str> = HINTS.iter().map(|(code, _)| *code).filter(|code| class_of(code).is_none()).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}

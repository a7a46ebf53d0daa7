//! Flags of the image library and of its search.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::RunFlags;

#[derive(Debug, Subcommand)]
pub(crate) enum LibraryCommand {
    /// Import images: folders, with all that is in them, and files; run again, it goes on where it stopped
    Import(Box<ImportImages>),
    /// List images, the newest first
    List(ListImages),
    /// Show all that is known of an image
    Show {
        /// The image's id
        id: String,
    },
    /// Give images tags and take tags away
    Tag(TagImages),
    /// Change what is said of images
    Edit(Box<EditImages>),
    /// Have a model write captions for images that have none, and give all of them tags
    Describe(Box<DescribeImages>),
    /// Remove images: they are in the trash for 30 days
    Remove {
        /// The images' ids
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// List images that show nearly the same, in groups; --keep-largest or --keep-both decides on some of them
    Duplicates {
        /// Of the groups that these images are in, move all but the largest into the trash
        #[arg(long, value_name = "ID", num_args = 1.., conflicts_with = "keep_both")]
        keep_largest: Vec<String>,
        /// Keep all of the groups that these images are in, and list them no more
        #[arg(long, value_name = "ID", num_args = 1..)]
        keep_both: Vec<String>,
    },
    /// Write images as files, with images.json beside them, in the form that import reads
    Export(ExportImages),
    /// Collections: list, rename or remove them
    Collections {
        #[command(subcommand)]
        command: Option<CollectionsCommand>,
    },
    /// List the tags there are
    Tags,
    /// Put the sample pictures that ship with the program into the library
    Samples {
        /// Move them into the trash instead
        #[arg(long)]
        remove: bool,
    },
    /// Make the vectors that images lack, as after a change of the embedder
    Embed {
        /// Forget the vectors of other embedders, once all are made
        #[arg(long)]
        prune: bool,
        /// As a search starts it: at a low priority, and only what nobody has tried to embed yet
        #[arg(long, hide = true)]
        background: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ImportImages {
    /// Folders and files
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// A collection to put all of them into; it may be given several times
    #[arg(short, long, value_name = "NAME")]
    pub(crate) collection: Vec<String>,
    /// A tag to give all of them; it may be given several times
    #[arg(short, long, value_name = "TAG")]
    pub(crate) tag: Vec<String>,
    /// Who brings them
    #[arg(long, value_name = "NAME")]
    pub(crate) uploader: Option<String>,
    /// What is said of them, as images.json or CSV; it goes before those that lie in the folders
    #[arg(long, value_name = "FILE")]
    pub(crate) metadata: Option<PathBuf>,
    /// Have images that are known take over what is said of them now
    #[arg(long)]
    pub(crate) update: bool,
    /// Of near duplicates, store only the largest; what is in the library already stays
    #[arg(long)]
    pub(crate) skip_near: bool,
}

/// Which images.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ImageSelection {
    /// In this collection; given several times, in all of them
    #[arg(short, long, value_name = "NAME")]
    pub(crate) collection: Vec<String>,
    /// With this tag; given several times, with all of them
    #[arg(short, long, value_name = "TAG")]
    pub(crate) tag: Vec<String>,
    /// Of this category
    #[arg(long, value_name = "NAME")]
    pub(crate) category: Option<String>,
    /// Of this format
    #[arg(long, value_name = "FORMAT", value_parser = ["jpeg", "png", "webp", "gif", "avif", "heic", "svg"])]
    pub(crate) format: Option<String>,
    /// Brought by this user
    #[arg(long, value_name = "NAME")]
    pub(crate) uploader: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ListImages {
    #[command(flatten)]
    pub(crate) selection: ImageSelection,
    /// The most rows to list
    #[arg(long, value_name = "ROWS", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: u32,
    /// Go on after this cursor, as the list before gave it
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DescribeImages {
    /// The images' ids
    #[arg(required = true)]
    pub(crate) ids: Vec<String>,
    #[command(flatten)]
    pub(crate) run: RunFlags,
}

#[derive(Debug, Args)]
pub(crate) struct TagImages {
    /// The images' ids
    #[arg(required = true)]
    pub(crate) ids: Vec<String>,
    /// A tag to give; it may be given several times
    #[arg(short, long, value_name = "TAG", required_unless_present = "remove")]
    pub(crate) add: Vec<String>,
    /// A tag to take away; it may be given several times
    #[arg(short, long, value_name = "TAG")]
    pub(crate) remove: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct EditImages {
    /// The images' ids
    #[arg(required = true)]
    pub(crate) ids: Vec<String>,
    /// Another caption; empty for none
    #[arg(long, value_name = "TEXT")]
    pub(crate) caption: Option<String>,
    /// Another category; empty for none
    #[arg(long, value_name = "NAME")]
    pub(crate) category: Option<String>,
    /// How well they serve as references for tone, from 0 to 1
    #[arg(long, value_name = "SCORE")]
    pub(crate) tone_score: Option<f64>,
    /// How well they serve as references for angle, from 0 to 1
    #[arg(long, value_name = "SCORE")]
    pub(crate) angle_score: Option<f64>,
    /// An attribute to set, as NAME=VALUE; NAME= takes it away
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) attribute: Vec<String>,
    /// A collection to put them into
    #[arg(short, long, value_name = "NAME")]
    pub(crate) collection: Vec<String>,
    /// A collection to take them out of
    #[arg(long, value_name = "NAME")]
    pub(crate) leave_collection: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ExportImages {
    /// A folder, which does not exist or is empty, or a file that ends in .zip
    pub(crate) to: PathBuf,
    /// These images only
    #[arg(long, value_name = "ID", conflicts_with_all = ["collection", "tag", "category", "format", "uploader"])]
    pub(crate) id: Vec<String>,
    #[command(flatten)]
    pub(crate) selection: ImageSelection,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CollectionsCommand {
    /// Rename a collection
    Rename {
        /// Its name
        name: String,
        /// Its new name
        to: String,
    },
    /// Remove a collection; its images stay in the library
    Remove {
        /// Its name
        name: String,
    },
}

/// `atelier search`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct SearchImages {
    #[command(subcommand)]
    pub(crate) command: Option<SearchCommand>,
    /// What to look for; captions are found by their words in any language, by their meaning and look in English
    pub(crate) query: Vec<String>,
    /// A picture to find others like
    #[arg(long, value_name = "FILE")]
    pub(crate) image: Option<PathBuf>,
    /// The id of an image to find others like
    #[arg(long, value_name = "ID", conflicts_with = "image")]
    pub(crate) like: Option<String>,
    /// A colour that they should have
    #[arg(long, value_name = "#RRGGBB")]
    pub(crate) color: Option<String>,
    /// In this collection; given several times, in any of them
    #[arg(short, long, value_name = "NAME")]
    pub(crate) collection: Vec<String>,
    /// What they must fulfil: category=, tag=, width=MIN..MAX, height=MIN..MAX,
    /// orientation=landscape|portrait|square, color=#RRGGBB, date=YYYY-MM-DD..YYYY-MM-DD, uploader=, or any
    /// attribute; with != for the opposite. Values of one key add up, keys narrow down
    #[arg(short, long, value_name = "KEY=VALUE")]
    pub(crate) filter: Vec<String>,
    /// The most images to show
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: u32,
    /// Compare words with this of the images only
    #[arg(long, value_name = "WHAT", default_value = "all")]
    pub(crate) fields: Fields,
    /// Say how the query was understood, what each stage found, and why each image is there
    #[arg(long)]
    pub(crate) explain: bool,
    /// Show thumbnails: auto on terminals that can show pictures
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) thumbnails: Thumbnails,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SearchCommand {
    /// Measure the search on judged queries: recall, reciprocal rank, nDCG
    Eval(Evaluate),
}

#[derive(Debug, Args)]
pub(crate) struct Evaluate {
    /// Lines of {"query": "…", "relevant": ["ID", …]} or {"query": "…", "relevant": {"ID": GRADE, …}}
    pub(crate) queries: PathBuf,
    /// Fail if a metric is below this file's
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Save the metrics to compare later runs with
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
    /// Compare words with this of the images only
    #[arg(long, value_name = "WHAT", default_value = "all")]
    pub(crate) fields: Fields,
    /// By how much a metric may be below the baseline
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, requires = "baseline")]
    pub(crate) tolerance: f64,
}

/// By what of the images words are compared with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fields {
    /// All of it
    All,
    /// The words that they have
    Lexical,
    /// What their words mean
    Text,
    /// Their look
    Look,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Thumbnails {
    /// Where the terminal is known to show pictures
    Auto,
    /// In any terminal, out of coloured blocks if it must be
    Always,
    /// Nowhere
    Never,
}

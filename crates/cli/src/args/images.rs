//! Flags of `atelier images`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::run::RunFlags;

#[derive(Debug, Subcommand)]
pub(crate) enum ImagesCommand {
    /// Make images of a prompt, with references from the library, on one side or on two to compare
    Generate(Box<GenerateImages>),
    /// Print what would be sent and keep it as a plan; makes no call that is paid for, unless --classify is given
    Preview(Box<PreviewImages>),
    /// Change a part of an image, where a mask says so; --out also shows it beside what was before
    Edit(Box<EditImage>),
    /// Make images anew by the plan of a generation: the same references and prompts, other seeds
    Again(AgainImages),
    /// Go on with a generation that was interrupted, parked or stopped
    Resume(ResumeImages),
    /// Try images again that were blocked, failed or given up
    Retry(RetryImages),
    /// Give up what of a generation is not made yet
    Cancel {
        /// The generation
        generation: String,
    },
    /// List images that were made, the newest first
    List(ListGenerated),
    /// Tell all about an image, or a generation: prompt, references, model, seed, cost
    Show {
        /// The id of an image or of a generation
        id: String,
    },
    /// Write an image's file, its provenance in it
    Save(SaveImage),
    /// Like images
    Like {
        /// The images
        #[arg(required = true)]
        ids: Vec<String>,
        /// Like them no more
        #[arg(long)]
        undo: bool,
    },
    /// Note something on an image
    Note {
        /// The image
        id: String,
        /// The note; left out, it is taken away
        text: Option<String>,
    },
    /// Delete images: they are in the trash for 30 days
    Delete {
        /// The images
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Write images to a ZIP file, with a list of what is known of each
    Export(ExportGenerated),
    /// Take images into the library, where they are found and can be references
    Promote(PromoteImages),
    /// List the presets of camera, lens and light
    Presets,
}

/// What is to be made.
#[derive(Clone, Debug, Args)]
pub(crate) struct ImageRequestFlags {
    /// What is to be seen
    pub(crate) prompt: Option<String>,
    #[command(flatten)]
    pub(crate) sides: SideFlags,
    /// The size: WIDTHxHEIGHT in pixels, or a shape such as 3:2; the nearest that the model makes is made
    #[arg(long, value_name = "SIZE", default_value = "1024x1024")]
    pub(crate) size: String,
    /// The seed of the first image; the others count on from it [default: drawn]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=0x7fff_ffff))]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) references: ReferenceFlags,
    #[command(flatten)]
    pub(crate) camera: CameraFlags,
}

/// How many images of it there are to be, and whose.
#[derive(Clone, Debug, Args)]
pub(crate) struct SideFlags {
    /// How many images on each side, 1 to 8
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=8))]
    pub(crate) count: u32,
    /// A second side, made by this model, to compare
    #[arg(long, value_name = "MODEL")]
    pub(crate) compare: Option<String>,
    /// The project that it is for
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) project: String,
}

/// Which references there are.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "References")]
pub(crate) struct ReferenceFlags {
    /// An image of the library, by its id, or a file, that is sent as a reference; it may be given several times
    #[arg(short, long, value_name = "ID|FILE")]
    pub(crate) reference: Vec<String>,
    /// How references of tone and angle are used: auto (chosen and sent), palette-only (the colours of a chosen one
    /// are named in the prompt, nothing is sent) or off
    #[arg(long, value_name = "MODE", default_value = "auto")]
    pub(crate) references: ReferenceMode,
    /// The same for the second side [default: as for the first]
    #[arg(long, value_name = "MODE")]
    pub(crate) compare_references: Option<ReferenceMode>,
    /// The reference of tone: an image of the library, or off [default: drawn from the best that fit]
    #[arg(long, value_name = "ID|off")]
    pub(crate) tone: Option<String>,
    /// The reference of angle: an image of the library, or off [default: drawn from the best that fit]
    #[arg(long, value_name = "ID|off")]
    pub(crate) angle: Option<String>,
    /// Choose tone and angle from this collection [default: from all of the library]
    #[arg(short, long, value_name = "NAME")]
    pub(crate) collection: Option<String>,
    /// The category of tone: natural, vivid, cinematic, beauty, or one of your own [default: the one that fits]
    #[arg(long, value_name = "NAME")]
    pub(crate) category: Option<String>,
    /// Have a text model choose the category, which is a call that is paid for [default: the configured model]
    #[arg(long, value_name = "MODEL", num_args = 0..=1, default_missing_value = "")]
    pub(crate) classify: Option<String>,
    /// The seed by which references are drawn; another swaps them [default: that of the images]
    #[arg(long, value_name = "N")]
    pub(crate) reference_seed: Option<u64>,
}

/// `atelier images presets` lists the names.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Camera and colours")]
pub(crate) struct CameraFlags {
    /// How much is in the frame, such as close-up
    #[arg(long, value_name = "NAME")]
    pub(crate) shot: Option<String>,
    /// Where the camera stands, such as low
    #[arg(long, value_name = "NAME")]
    pub(crate) view: Option<String>,
    /// The lens, such as 35mm
    #[arg(long, value_name = "NAME")]
    pub(crate) lens: Option<String>,
    /// The light, such as golden-hour
    #[arg(long, value_name = "NAME")]
    pub(crate) light: Option<String>,
    /// Colours that the prompt names, such as '#a0c4ff,#102030'
    #[arg(long, value_name = "COLOURS", value_delimiter = ',')]
    pub(crate) palette: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReferenceMode {
    Auto,
    PaletteOnly,
    Off,
}

/// How images are made, and where they go besides.
#[derive(Debug, Args)]
pub(crate) struct MakeFlags {
    /// Write the files into this folder, too
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) run: RunFlags,
}

#[derive(Debug, Args)]
pub(crate) struct GenerateImages {
    #[command(flatten)]
    pub(crate) request: ImageRequestFlags,
    /// Send a plan that was kept, byte for byte, in the place of a prompt
    #[arg(long, value_name = "ID", conflicts_with_all = ["prompt", "compare", "count", "reference", "tone", "angle"])]
    pub(crate) plan: Option<String>,
    /// Print what would be sent, what it would cost and how long it would take, and send nothing; no key is needed
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) make: MakeFlags,
}

#[derive(Debug, Args)]
pub(crate) struct PreviewImages {
    #[command(flatten)]
    pub(crate) request: ImageRequestFlags,
    #[command(flatten)]
    pub(crate) run: RunFlags,
}

#[derive(Debug, Args)]
pub(crate) struct EditImage {
    /// The image: one that was made, one of the library, or a file
    pub(crate) image: String,
    /// What is to be seen there
    pub(crate) prompt: String,
    /// A picture of the same shape, transparent or else white where the image is to be changed
    #[arg(short, long, value_name = "FILE")]
    pub(crate) mask: PathBuf,
    /// A picture of what is to be put there: an image of the library, or a file
    #[arg(long, value_name = "ID|FILE")]
    pub(crate) replacement: Option<String>,
    /// Let the model change all of the image, and take its answer as it is; without this nothing outside the mask
    /// changes
    #[arg(long)]
    pub(crate) whole: bool,
    /// Print what would be sent, what it would cost and how long it would take, and send nothing; no key is needed
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) sides: SideFlags,
    #[command(flatten)]
    pub(crate) make: MakeFlags,
}

#[derive(Debug, Args)]
pub(crate) struct AgainImages {
    /// The generation
    pub(crate) generation: String,
    /// The seed of the first image [default: drawn]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=0x7fff_ffff))]
    pub(crate) seed: Option<u64>,
    /// Print what would be sent, what it would cost and how long it would take, and send nothing; no key is needed
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) make: MakeFlags,
}

#[derive(Debug, Args)]
pub(crate) struct ResumeImages {
    /// The generation
    pub(crate) generation: String,
    #[command(flatten)]
    pub(crate) make: MakeFlags,
}

#[derive(Debug, Args)]
pub(crate) struct RetryImages {
    /// The generation, or one of its images
    pub(crate) id: String,
    /// Only this side
    #[arg(long, value_name = "SIDE", value_parser = ["a", "b"])]
    pub(crate) side: Option<String>,
    /// With another prompt, everything else being as it was
    #[arg(long, value_name = "PROMPT")]
    pub(crate) prompt: Option<String>,
    #[command(flatten)]
    pub(crate) make: MakeFlags,
}

/// Which images.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct GeneratedSelection {
    /// Whose prompt has this word in it; given several times, all of them
    #[arg(short, long, value_name = "WORD")]
    pub(crate) word: Vec<String>,
    /// By this model, as it was named
    #[arg(long = "by", value_name = "MODEL")]
    pub(crate) model: Option<String>,
    /// For this project
    #[arg(long, value_name = "NAME")]
    pub(crate) project: Option<String>,
    /// Of this generation
    #[arg(long, value_name = "ID")]
    pub(crate) generation: Option<String>,
    /// Liked ones only
    #[arg(long)]
    pub(crate) liked: bool,
    /// In this state
    #[arg(long, value_name = "STATE", value_parser = ["pending", "done", "blocked", "failed", "cancelled"])]
    pub(crate) state: Option<String>,
    /// Asked for on this day (UTC), or from one day to another: 2026-11-01, 2026-11-01..2026-11-30
    #[arg(long, value_name = "DAYS")]
    pub(crate) date: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ListGenerated {
    #[command(flatten)]
    pub(crate) selection: GeneratedSelection,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: u32,
    /// Go on after this place, as the page before said
    #[arg(long, value_name = "PLACE")]
    pub(crate) after: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SaveImage {
    /// The image
    pub(crate) id: String,
    /// The file, which must not exist; its end is that of the image's format if it has none
    pub(crate) file: PathBuf,
    /// Of an edit: the image beside what was before, in PNG
    #[arg(long)]
    pub(crate) beside: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExportGenerated {
    /// The ZIP file, which must not exist
    pub(crate) file: PathBuf,
    /// These images [default: all that the flags let through]
    #[arg(long = "id", value_name = "ID", conflicts_with_all = ["word", "model", "project", "generation", "liked", "state", "date"])]
    pub(crate) ids: Vec<String>,
    #[command(flatten)]
    pub(crate) selection: GeneratedSelection,
}

#[derive(Debug, Args)]
pub(crate) struct PromoteImages {
    /// The images
    #[arg(required = true)]
    pub(crate) ids: Vec<String>,
    /// Put them into this collection; it may be given several times
    #[arg(short, long, value_name = "NAME")]
    pub(crate) collection: Vec<String>,
}

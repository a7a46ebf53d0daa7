//! Lists the sample pictures, so that they are inside the binary.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let samples = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../../assets/library");
    println!("cargo::rerun-if-changed={}", samples.display());
    let mut files: Vec<PathBuf> =
        fs::read_dir(&samples)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|kind| kind != "md"));
    files.sort();
    let mut list = String::from("static FILES: &[(&str, &[u8])] = &[\n");
    for file in &files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let _ = writeln!(list, "    ({name:?}, include_bytes!({:?})),", file.canonicalize()?.display().to_string());
    }
    list.push_str("];\n");
    fs::write(PathBuf::from(env::var("OUT_DIR").unwrap_or_default()).join("sample_files.rs"), list)
}

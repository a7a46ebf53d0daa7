//! docs/reference.md, made from the definitions that the program itself goes by.

use std::fmt::Write as _;

use atelier_app::AppResult;
use atelier_app::config::SETTINGS;
use atelier_app::error::TABLE;
use atelier_providers::PriceTable;
use clap::{Arg, Command, CommandFactory};
use jiff::civil::Date;

use crate::args::Cli;
use crate::exit::Exit;
use crate::money::thousands;

/// The whole document.
pub(crate) fn markdown() -> AppResult<String> {
    let mut text = String::from(
        "# Reference\n\nThis page is printed by the program (`make reference`): flags, settings, exit codes, error codes and prices \
         are those that it goes by.\n",
    );
    let mut root = Cli::command().disable_help_flag(true).disable_version_flag(true);
    root.build();
    command(&mut text, &root, "");
    settings(&mut text);
    exits(&mut text);
    errors(&mut text);
    prices(&mut text)?;
    Ok(text)
}

fn command(text: &mut String, command_: &Command, path: &str) {
    let name = format!("{path}{}", command_.get_name());
    let level = if path.is_empty() { "##" } else { "###" };
    let _ = write!(text, "\n{level} `{name}`\n\n{}.\n", about(command_));
    let global = |arg: &&Arg| !path.is_empty() && arg.is_global_set();
    let arguments: Vec<&Arg> =
        command_.get_arguments().filter(|arg| !arg.is_hide_set() && !global(arg) && arg.get_id() != "help").collect();
    if !arguments.is_empty() {
        text.push_str("\n| | |\n|---|---|\n");
        for argument in arguments {
            let _ = writeln!(text, "| `{}` | {} |", cell(&shape(argument)), cell(&meaning(argument)));
        }
    }
    for child in command_.get_subcommands().filter(|child| !child.is_hide_set() && child.get_name() != "help") {
        command(text, child, &format!("{name} "));
    }
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

/// `-p, --project <NAME>`.
fn shape(argument: &Arg) -> String {
    let value = argument.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    let takes = argument.get_action().takes_values();
    let mut shape = match (argument.get_short(), argument.get_long()) {
        (Some(short), Some(long)) => format!("-{short}, --{long}"),
        (None, Some(long)) => format!("--{long}"),
        (Some(short), None) => format!("-{short}"),
        (None, None) => return format!("<{}>", value.unwrap_or_else(|| argument.get_id().to_string().to_uppercase())),
    };
    for alias in argument.get_visible_aliases().unwrap_or_default() {
        let _ = write!(shape, ", --{alias}");
    }
    if let Some(value) = value.filter(|_| takes) {
        let _ = write!(shape, " <{value}>");
    }
    shape
}

fn meaning(argument: &Arg) -> String {
    let mut meaning = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let values: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|_| argument.get_action().takes_values())
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if !values.is_empty() {
        let _ = write!(meaning, ": {}", values.join(", "));
    }
    let defaults: Vec<String> =
        argument.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    if !defaults.is_empty() && argument.get_action().takes_values() {
        let _ = write!(meaning, " (default: `{}`)", defaults.join(" "));
    }
    if let Some(variable) = argument.get_env() {
        let _ = write!(meaning, " (environment: `{}`)", variable.to_string_lossy());
    }
    meaning
}

/// A cell of a table: one line, and no end before its end.
fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}

fn settings(text: &mut String) {
    text.push_str("\n## Settings\n\nWhat atelier.toml may hold; [configuration.md](configuration.md) shows one whole.\n\n| key | |\n|---|---|\n");
    for (key, meaning) in SETTINGS {
        let _ = writeln!(text, "| `{key}` | {} |", cell(meaning));
    }
}

fn exits(text: &mut String) {
    text.push_str("\n## Exit codes\n\n| code | meaning |\n|---|---|\n");
    for (code, meaning) in Exit::MEANINGS {
        let _ = writeln!(text, "| {code} | {meaning} |");
    }
}

fn errors(text: &mut String) {
    text.push_str(
        "\n## Error codes\n\nEvery error names its code in brackets and says what to do. What a program sees of it follows from \
         its class.\n\n| code | class | exit code | HTTP status |\n|---|---|---|---|\n",
    );
    let mut codes = TABLE.to_vec();
    codes.sort_unstable_by_key(|(code, _)| *code);
    for (code, class) in codes {
        let _ = writeln!(text, "| `{code}` | {} | {} | {} |", class.name(), class.exit_code(), class.http_status());
    }
}

fn prices(text: &mut String) -> AppResult<()> {
    let table = PriceTable::builtin()?;
    let Some(day) = table.as_of() else { return Ok(()) };
    let _ = write!(
        text,
        "\n## Prices\n\nUSD, as of {day}; `prices` in atelier.toml names a table that goes before this one. What a model \
         costs that is not here is unknown, which is not zero. Rows with * are second-hand. A day is UTC's.\n\n\
         | model | from | calls with more tokens in than | a million tokens in | a million tokens out | an image at most |\n\
         |---|---|---|---|---|---|\n"
    );
    for model in table.models() {
        let name = if model.second_hand { format!("{}*", model.name) } else { model.name.clone() };
        for (from, above) in model.tiers() {
            let Some(price) = model.price(from, above.saturating_add(1)) else { continue };
            let from = if from == Date::MIN { String::new() } else { from.to_string() };
            let above = if above == 0 { String::new() } else { thousands(above) };
            let [input, output, image] = [price.input, price.output, price.image].map(|usd| dollars(usd.as_dollars()));
            let _ = writeln!(text, "| {name} | {from} | {above} | {input} | {output} | {image} |");
        }
    }
    Ok(())
}

fn dollars(amount: f64) -> String {
    if amount == 0.0 { String::new() } else { format!("{amount}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_in_docs_is_what_the_program_prints() {
        let printed = markdown().unwrap();
        let kept = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference.md"));
        assert!(kept.is_ok_and(|kept| kept == printed), "docs/reference.md is out of date: run 'make reference'");
    }
}

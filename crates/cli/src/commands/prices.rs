//! `atelier prices`.

use atelier_app::AppResult;
use atelier_app::views::PriceRowView;

use crate::args::PricesCommand;
use crate::context::Context;
use crate::exit::Exit;
use crate::money::{count, thousands};
use crate::out::table;

pub(super) fn run(context: &Context, command: &PricesCommand) -> AppResult<Exit> {
    let (app, out) = (&context.app, &context.out);
    match command {
        PricesCommand::Show { model } => {
            let list = app.price_list(model.as_deref())?;
            out.result(&list, || {
                let headers =
                    ["model", "from", "above", "in", "cached", "out", "image", "answers up to", "usual limits"];
                let right = [false, false, true, true, true, true, true, true, false];
                let cells: Vec<Vec<String>> = list.prices.iter().map(cells).collect();
                let table = table(&headers, &right, &cells);
                format!("{table}\ndollars for a million tokens, on {}; * from another's table", list.day)
            })?;
        }
        PricesCommand::Import { file } => {
            let imported = app.import_prices(file)?;
            out.result(&imported, || format!("{} with a price", count(imported.models as u64, "model")))?;
        }
        PricesCommand::Forget => {
            let forgotten = app.forget_prices()?;
            let said = if forgotten { "forgotten: the built-in prices hold again" } else { "no prices were imported" };
            out.result(&serde_json::json!({ "forgotten": forgotten }), || said.to_owned())?;
        }
    }
    Ok(Exit::Success)
}

fn cells(row: &PriceRowView) -> Vec<String> {
    let amount = |dollars: Option<f64>| dollars.map(|dollars| dollars.to_string()).unwrap_or_default();
    let above = if row.above_input_tokens == 0 { String::new() } else { thousands(row.above_input_tokens) };
    let limits = [(row.usual_limits.rpm, "requests/min"), (row.usual_limits.tpm, "tokens/min")];
    let limits = limits.into_iter().filter_map(|(limit, unit)| Some(format!("{} {unit}", thousands(limit?))));
    let mark = if row.second_hand { "*" } else { "" };
    vec![
        format!("{}{mark}", row.model),
        row.from.clone().unwrap_or_default(),
        above,
        amount(Some(row.input)),
        amount(row.cached_input),
        amount(Some(row.output)),
        amount(row.image),
        thousands(row.max_output_tokens),
        limits.collect::<Vec<_>>().join(", "),
    ]
}

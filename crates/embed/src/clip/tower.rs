//! One of the two encoders of a CLIP: for pictures or for texts.

use std::path::PathBuf;
use std::sync::Arc;

use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool, Value};

use crate::model::failed;
use crate::{EmbedError, Vector};

/// A model with one input that matters and one output.
pub(super) struct Tower {
    path: PathBuf,
    model: Model,
    input: NodeId,
    /// The attention mask, an input that only some exports of text models have.
    mask: Option<NodeId>,
    output: NodeId,
}

impl Tower {
    /// Loads a model that has this input and one of these outputs, the first that it has.
    pub(super) fn load(path: PathBuf, input: &str, outputs: &[&str]) -> Result<Self, EmbedError> {
        let mut options = ModelOptions::with_all_ops();
        options.prepack_weights(true);
        let model = match options.load_file(&path) {
            Ok(model) => model,
            Err(error) => return Err(EmbedError::ClipModel { path, reason: error.to_string() }),
        };
        let inputs = names(&model, model.input_ids());
        let given = names(&model, model.output_ids());
        let find =
            |all: &[(String, NodeId)], name: &str| all.iter().find(|(other, _)| other == name).map(|(_, node)| *node);
        let mask = find(&inputs, "attention_mask");
        let unknown = inputs.iter().find(|(name, _)| name != input && name != "attention_mask");
        let reason = match (find(&inputs, input), outputs.iter().find_map(|name| find(&given, name)), unknown) {
            (Some(input), Some(output), None) => return Ok(Self { path, model, input, mask, output }),
            (None, ..) => format!("it has no input {input:?}, but {}", listed(&inputs)),
            (_, None, _) => format!("it has no output {:?}, but {}", outputs.join("\" or \""), listed(&given)),
            (.., Some((name, _))) => format!("it asks for an input {name:?}, which is not known"),
        };
        Err(EmbedError::ClipModel { path, reason })
    }

    /// The vector that the model gives for this input, worked out on `thread`.
    pub(super) fn run(
        &self,
        input: Value,
        mask: Option<Value>,
        thread: &Arc<ThreadPool>,
    ) -> Result<Vector, EmbedError> {
        let mut inputs = vec![(self.input, input.into())];
        if let (Some(node), Some(mask)) = (self.mask, mask) {
            inputs.push((node, mask.into()));
        }
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(thread)));
        let [output] = self.model.run_n(inputs, [self.output], Some(options)).map_err(failed)?;
        let (shape, numbers) = output.into_shape_vec::<f32, 2>().map_err(failed)?;
        if shape[0] != 1 {
            return Err(failed(format!("it gave numbers of shape {shape:?}, not one row")));
        }
        Vector::normalised(numbers)
    }

    /// The error of a model that is not what it should be.
    pub(super) fn invalid(&self, reason: String) -> EmbedError {
        EmbedError::ClipModel { path: self.path.clone(), reason }
    }
}

/// The nodes that have names.
fn names(model: &Model, nodes: &[NodeId]) -> Vec<(String, NodeId)> {
    let name = |&node: &NodeId| Some((model.node_info(node)?.name()?.to_owned(), node));
    nodes.iter().filter_map(name).collect()
}

/// The names in one line, for an error message.
fn listed(nodes: &[(String, NodeId)]) -> String {
    match nodes {
        [] => "none at all".to_owned(),
        nodes => nodes.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", "),
    }
}

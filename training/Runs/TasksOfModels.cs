using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Attention.Inputs;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Inspection;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>What task a model was made for, where no recipe says it.</summary>
internal static class TasksOfModels
{
    private const string Logits = "logits";

    /// <summary>The task that a model's metadata, the files beside it and its outputs speak for; null where nothing tells.</summary>
    /// <param name="model">The model.</param>
    /// <param name="config">What is beside it.</param>
    /// <param name="labels">Names of its classes; null = it has none.</param>
    public static string? Guess(CanonicalModel model, ModelConfig config, IReadOnlyList<string>? labels)
    {
        if (ModelLabels.TaskOf(model.Deployed) is { } stated && TrainingTasks.Find(stated) is not null) return stated;
        if (model.Model.Graph.Outputs.FirstOrDefault(output => output.Name == Logits && output.Type.IsFloat()) is not { Shape: { } shape })
            return null;
        var width = shape[-1].Value;
        return shape.Rank switch
        {
            2 => width == 1 || config.ProblemType == "regression" ? "regression" : "classification",
            3 => IsOfWords(width, model, config, labels) ? LanguageTask(model, config) : "token-classification",
            _ => null,
        };
    }

    // Logits as wide as the vocabulary are those of a language model.
    private static bool IsOfWords(long? width, CanonicalModel model, ModelConfig config, IReadOnlyList<string>? labels)
    {
        if (config.Architectures.Any(name => name.EndsWith("ForTokenClassification", StringComparison.Ordinal))) return false;
        if (labels is not null && width == labels.Count) return false;
        return width is null || TokenEmbedding.Vocabulary(model.Deployed) is not { } vocabulary || width >= vocabulary;
    }

    private static string LanguageTask(CanonicalModel model, ModelConfig config)
    {
        if (config.Architectures.Any(name => name.EndsWith("ForMaskedLM", StringComparison.Ordinal))) return "masked-lm";
        if (config.Architectures.Any(name => name.EndsWith("ForCausalLM", StringComparison.Ordinal))) return "causal-lm";
        return SuitableTasks.IsCausal(model) ? "causal-lm" : "masked-lm";
    }
}

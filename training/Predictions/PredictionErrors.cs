using System.Globalization;
using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Training.Predictions;

/// <summary>Failures of predictions.</summary>
internal static class PredictionErrors
{
    public static LortaException NoHead(string model, string outputs) =>
        new(
            "LRT630",
            $"{model}: predicts no labels; its outputs are {outputs}.",
            "Predict with a model that was exported with its classification, regression or token-classification head; "
                + "'lorta generate' continues a text with a decoder.");

    public static LortaException NotPredicted(string source, string task) =>
        new(
            "LRT631",
            $"{source}: its task is {task}, which has no labels to predict.",
            "Predict for classification, regression or token-classification; 'lorta generate' continues a text with a decoder.")
        { IsUsage = true };

    public static LortaException NotFinite(string path, int line) =>
        new(
            "LRT632",
            string.Create(CultureInfo.InvariantCulture, $"{path}, line {line}: the model's output is not finite."),
            "The model or the adapter is damaged, or its arithmetic overflows: compare it with `lorta verify`, or try a float32 export.")
        { Origin = new(path, line) };

    public static LortaException UnknownOutput(string path) =>
        new("LRT633", $"{path}: predictions are written as TSV, CSV or JSONL.", "Name an output that ends in .tsv, .csv or .jsonl.")
        { IsUsage = true };

    public static LortaException SeveralLabels(string model) =>
        new(
            "LRT634",
            $"{model}: gives a text several labels (problem_type multi_label_classification), which is not supported yet.",
            "Predict with a model that gives each text one label.");
}

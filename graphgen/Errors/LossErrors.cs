using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Errors;

/// <summary>What stands between a model's outputs and the loss of a task.</summary>
internal static class LossErrors
{
    public static LortaException UnknownTask(string name, IEnumerable<string> known) =>
        new("LRT411", $"task: '{name}' is not known.", $"Choose one of {string.Join(", ", known)}.") { IsUsage = true };

    public static LortaException NoOutput(Graph graph, string task, string wanted) => new(
        "LRT412",
        $"The task {task} needs {wanted}; the model's outputs are {string.Join(", ", graph.Outputs)}.",
        "Name the output in taskOptions.output, choose the task that fits the model, or export the model with its head.");
}

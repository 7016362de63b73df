using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Losses;

/// <summary>What stands between a model's outputs and the loss of a task.</summary>
internal static class LossErrors
{
    public static LortaException UnknownTask(string name, IEnumerable<string> known) =>
        new("LRT411", $"task: '{name}' is not known.", $"Choose one of {string.Join(", ", known)}.") { IsUsage = true };

    public static LortaException NoOutput(Graph graph, string task, string wanted) => new(
        "LRT412",
        $"The task {task} needs {wanted}; the model's outputs are {string.Join(", ", graph.Outputs)}.",
        "Name the output in taskOptions.output, choose the task that fits the model, or export the model with its head.");

    public static LortaException RowTooLong(int length, int fixedLength) => new(
        "LRT413",
        $"The model takes rows of {fixedLength} tokens, and there is a row of {length}.",
        $"Set data.maxLength to {fixedLength} or less, or export the model with a dynamic length. For random rows, pass --length.");

    public static LortaException RowTooShort(int length, int fixedLength) => new(
        "LRT414",
        $"The model takes rows of {fixedLength} tokens and has no attention mask, so a row of {length} tokens cannot be padded.",
        $"Give rows of exactly {fixedLength} tokens (causal-lm: data.packing), or export the model with an attention mask "
            + "or a dynamic length.");

    public static LortaException WrongInputType(string name, OnnxTensor tensor, ElementType wanted, Exception inner) => new(
        "LRT415",
        $"The input '{name}' is declared as {wanted.Display()}, which cannot hold the {tensor} that is fed to it "
            + $"({inner.Message.TrimEnd('.')}).",
        "Give values of the declared type.",
        inner);

    public static LortaException UnlabelledRow(string task, int rows, int fixedRows) => new(
        "LRT416",
        $"The model computes the loss of '{task}' itself over batches of {fixedRows} rows, and {rows} are left, which cannot be filled "
            + "up with rows that do not count.",
        $"Set train.batchSize to a multiple of {fixedRows}, and give a multiple of {fixedRows} rows of data.");
}

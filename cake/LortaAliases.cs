using Cake.Core;
using Cake.Core.Annotations;

namespace Cake.LoRTA;

/// <summary>The verbs of <c>lorta</c> for Cake scripts: each starts the tool and returns its result.</summary>
/// <remarks>The tool is that of the tool manifest (<c>dotnet tool install LoRTA.Onnx.Tool</c>), of Cake's tools folder (<c>#tool</c>) or of
/// the PATH, in this order. Its progress goes to Cake's log. Paths are texts, as a model is a file or a folder.</remarks>
[CakeAliasCategory("LoRTA")]
public static class LortaAliases
{
    /// <inheritdoc cref="LortaQuickstart(ICakeContext, LortaQuickstartSettings)"/>
    [CakeMethodAlias]
    [CakeAliasCategory("Training")]
    public static LortaQuickstartResult LortaQuickstart(this ICakeContext context) =>
        LortaQuickstart(context, new LortaQuickstartSettings());

    /// <summary>Adapts the bundled model to the bundled text, folds and verifies: does this machine work?</summary>
    /// <param name="context">The script's context.</param>
    /// <param name="settings">Options.</param>
    /// <returns>What it came to.</returns>
    /// <exception cref="CakeException">It failed; the message holds code and hint, and so does <c>Data</c>.</exception>
    [CakeMethodAlias]
    [CakeAliasCategory("Training")]
    public static LortaQuickstartResult LortaQuickstart(this ICakeContext context, LortaQuickstartSettings settings) =>
        LortaTool.Run<LortaQuickstartResult>(context, settings, ["quickstart"]);

    /// <inheritdoc cref="LortaInspect(ICakeContext, string, LortaInspectSettings)"/>
    [CakeMethodAlias]
    [CakeAliasCategory("Models")]
    public static LortaInspectResult LortaInspect(this ICakeContext context, string model) =>
        LortaInspect(context, model, new LortaInspectSettings());

    /// <summary>Says what a model is and what can be adapted in it.</summary>
    /// <param name="context">The script's context.</param>
    /// <param name="model">An <c>.onnx</c> file, or a folder that holds exactly one.</param>
    /// <param name="settings">Options.</param>
    /// <returns>What was found.</returns>
    /// <exception cref="CakeException">It failed; the message holds code and hint, and so does <c>Data</c>.</exception>
    [CakeMethodAlias]
    [CakeAliasCategory("Models")]
    public static LortaInspectResult LortaInspect(this ICakeContext context, string model, LortaInspectSettings settings) =>
        LortaTool.Run<LortaInspectResult>(context, settings, ["inspect", model]);

    /// <inheritdoc cref="LortaMethods(ICakeContext, string, LortaMethodsSettings)"/>
    [CakeMethodAlias]
    [CakeAliasCategory("Models")]
    public static IReadOnlyList<LortaMethod> LortaMethods(this ICakeContext context, string model) =>
        LortaMethods(context, model, new LortaMethodsSettings());

    /// <summary>Counts what each adapter family would train in a model.</summary>
    /// <param name="context">The script's context.</param>
    /// <param name="model">An <c>.onnx</c> file, or a folder that holds exactly one.</param>
    /// <param name="settings">Options.</param>
    /// <returns>The families.</returns>
    /// <exception cref="CakeException">It failed; the message holds code and hint, and so does <c>Data</c>.</exception>
    [CakeMethodAlias]
    [CakeAliasCategory("Models")]
    public static IReadOnlyList<LortaMethod> LortaMethods(this ICakeContext context, string model, LortaMethodsSettings settings) =>
        LortaTool.Run<IReadOnlyList<LortaMethod>>(context, settings, ["methods", model]);

    /// <summary>Counts what each adapter family would train in a model of given sizes.</summary>
    /// <param name="context">The script's context.</param>
    /// <param name="settings">Width, heads and layers, and further options.</param>
    /// <returns>The families.</returns>
    /// <exception cref="CakeException">It failed; the message holds code and hint, and so does <c>Data</c>.</exception>
    [CakeMethodAlias]
    [CakeAliasCategory("Models")]
    public static IReadOnlyList<LortaMethod> LortaMethods(this ICakeContext context, LortaMethodsSettings settings) =>
        LortaTool.Run<IReadOnlyList<LortaMethod>>(context, settings, ["methods"]);

    /// <inheritdoc cref="LortaInit(ICakeContext, string, LortaInitSettings)"/>
    [CakeMethodAlias]
    [CakeAliasCategory("Training")]
    public static LortaInitResult LortaInit(this ICakeContext context, string model) =>
        LortaInit(context, model, new LortaInitSettings());

    /// <summary>Writes a first recipe for a model.</summary>
    /// <param name="context">The script's context.</param>
    /// <param name="model">An <c>.onnx</c> file, or a folder that holds exactly one.</param>
    /// <param name="settings">Options.</param>
    /// <returns>The recipe.</returns>
    /// <exception cref="CakeException">It failed; the message holds code and hint, and so does <c>Data</c>.</exception>
    [CakeMethodAlias]
    [CakeAliasCategory("Training")]
    public static LortaInitResult LortaInit(this ICakeContext context, string model, LortaInitSettings settings) =>
        LortaTool.Run<LortaInitResult>(context, settings, ["init", model]);

    /// <inheritdoc cref="LortaTrain(ICakeContext, string, LortaTrainSettings)"/>
    [CakeMethodAlias]
    [CakeAliasCategory("Training")]
    public static LortaTrainResult LortaTrain(this ICakeContext context, string recipe) =>
        LortaTrain(context, recipe, new LortaTrainSettings());

    /// <summary>Trains an adapter from a recipe.</summary>
    /// <param name="context">The script's context.</param>
    /// <param name="recipe">The recipe, a YAML file.</param>
    /// <param name="settings">Options.</param>
    /// <returns>What the run came to, with the folder of the adapter.</returns>
    /// <exception cref="CakeException">It failed; the message holds code and hint, and so does <c>Data</c>.</exception>
    /// <example><code>
    /// var run = LortaTrain("recipes/reviews.yaml", new LortaTrainSettings
    /// {
    ///     Output = "artifacts/reviews",
    ///     Set = { ["train.steps"] = "300" },
    ///     Resume = true,
    /// });
    /// if (run.Metrics["accuracy"] &lt; 0.8) throw new CakeException($"accuracy fell to {run.Metrics["accuracy"]:P1}");
    /// </code></example>
    [CakeMethodAlias]
    [CakeAliasCategory("Training")]
    public static LortaTrainResult LortaTrain(this ICakeContext context, string recipe, LortaTrainSettings settings) =>
        LortaTool.Run<LortaTrainResult>(context, settings, ["train", recipe]);

    /// <inheritdoc cref="LortaEvaluate(ICakeContext, string, LortaEvaluateSettings)"/>
    [CakeMethodAlias]
    [CakeAliasCategory("Training")]
    public static LortaEvaluateResult LortaEvaluate(this ICakeContext context, string recipe) =>
        LortaEvaluate(context, recipe, new LortaEvaluateSettings());

    /// <summary>Measures loss and metrics on a recipe's validation data.</summary>
    /// <param name="context">The script's context.</param>
    /// <param name="recipe">The recipe, a YAML file.</param>
    /// <param name="settings">Options.</param>
    /// <returns>What was measured.</returns>
    /// <exception cref="CakeException">It failed; the message holds code and hint, and so does <c>Data</c>.</exception>
    [CakeMethodAlias]
    [CakeAliasCategory("Training")]
    public static LortaEvaluateResult LortaEvaluate(this ICakeContext context, string recipe, LortaEvaluateSettings settings) =>
        LortaTool.Run<LortaEvaluateResult>(context, settings, ["evaluate", recipe]);

    /// <inheritdoc cref="LortaPredict(ICakeContext, string, string, string, LortaPredictSettings)"/>
    [CakeMethodAlias]
    [CakeAliasCategory("Training")]
    public static LortaPredictResult LortaPredict(this ICakeContext context, string subject, string input, string output) =>
        LortaPredict(context, subject, input, output, new LortaPredictSettings());

    /// <summary>Predicts labels, scores or numbers for rows without labels.</summary>
    /// <param name="context">The script's context.</param>
    /// <param name="subject">A recipe, or a model whose task and labels its files or the adapter state.</param>
    /// <param name="input">The rows.</param>
    /// <param name="output">The predictions: <c>.jsonl</c>, <c>.csv</c>, else TSV.</param>
    /// <param name="settings">Options.</param>
    /// <returns>How many rows were written.</returns>
    /// <exception cref="CakeException">It failed; the message holds code and hint, and so does <c>Data</c>.</exception>
    [CakeMethodAlias]
    [CakeAliasCategory("Training")]
    public static LortaPredictResult LortaPredict(
        this ICakeContext context, string subject, string input, string output, LortaPredictSettings settings) =>
        LortaTool.Run<LortaPredictResult>(context, settings, ["predict", subject, "--input", input, "-o", output]);

    /// <inheritdoc cref="LortaExport(ICakeContext, string, string, string, LortaExportSettings)"/>
    [CakeMethodAlias]
    [CakeAliasCategory("Models")]
    public static LortaExportResult LortaExport(this ICakeContext context, string model, string adapter, string output) =>
        LortaExport(context, model, adapter, output, new LortaExportSettings());

    /// <summary>Folds an adapter into its base model.</summary>
    /// <param name="context">The script's context.</param>
    /// <param name="model">The base: an <c>.onnx</c> file, or a folder that holds exactly one.</param>
    /// <param name="adapter">An adapter folder, a run folder, or a checkpoint of a run.</param>
    /// <param name="output">The folded model: a file, or a folder where the base is one.</param>
    /// <param name="settings">Options.</param>
    /// <returns>The file, and how far it is from base and adapter.</returns>
    /// <exception cref="CakeException">It failed; the message holds code and hint, and so does <c>Data</c>.</exception>
    /// <example><code>
    /// var merged = LortaExport("models/minilm", run.Adapter, "artifacts/merged", new LortaExportSettings { Verify = true });
    /// Information("{0} bytes, error {1:E1}", merged.BytesWritten, merged.MaxRelDiff);
    /// </code></example>
    [CakeMethodAlias]
    [CakeAliasCategory("Models")]
    public static LortaExportResult LortaExport(
        this ICakeContext context, string model, string adapter, string output, LortaExportSettings settings) =>
        LortaTool.Run<LortaExportResult>(context, settings, ["export", model, "--adapter", adapter, "-o", output]);

    /// <inheritdoc cref="LortaVerify(ICakeContext, string, string, LortaVerifySettings)"/>
    [CakeMethodAlias]
    [CakeAliasCategory("Models")]
    public static LortaVerifyResult LortaVerify(this ICakeContext context, string a, string b) =>
        LortaVerify(context, a, b, new LortaVerifySettings());

    /// <summary>Runs the same inputs through two models and compares; fails where they differ too much.</summary>
    /// <param name="context">The script's context.</param>
    /// <param name="a">An <c>.onnx</c> file, or a folder that holds exactly one.</param>
    /// <param name="b">The other model.</param>
    /// <param name="settings">Options.</param>
    /// <returns>How far they are apart.</returns>
    /// <exception cref="CakeException">It failed; the message holds code and hint, and so does <c>Data</c>.</exception>
    [CakeMethodAlias]
    [CakeAliasCategory("Models")]
    public static LortaVerifyResult LortaVerify(this ICakeContext context, string a, string b, LortaVerifySettings settings) =>
        LortaTool.Run<LortaVerifyResult>(context, settings, ["verify", a, b]);

    /// <inheritdoc cref="LortaGenerate(ICakeContext, string, string, LortaGenerateSettings)"/>
    [CakeMethodAlias]
    [CakeAliasCategory("Models")]
    public static LortaGenerateResult LortaGenerate(this ICakeContext context, string model, string prompt) =>
        LortaGenerate(context, model, prompt, new LortaGenerateSettings());

    /// <summary>Continues a text with a decoder.</summary>
    /// <param name="context">The script's context.</param>
    /// <param name="model">An <c>.onnx</c> file, or a folder that holds exactly one.</param>
    /// <param name="prompt">The beginning of the text, or <c>@FILE</c>.</param>
    /// <param name="settings">Options.</param>
    /// <returns>The text.</returns>
    /// <exception cref="CakeException">It failed; the message holds code and hint, and so does <c>Data</c>.</exception>
    [CakeMethodAlias]
    [CakeAliasCategory("Models")]
    public static LortaGenerateResult LortaGenerate(
        this ICakeContext context, string model, string prompt, LortaGenerateSettings settings) =>
        LortaTool.Run<LortaGenerateResult>(context, settings, ["generate", model, "--prompt", prompt]);

    /// <inheritdoc cref="LortaInject(ICakeContext, string, string, LortaInjectSettings)"/>
    [CakeMethodAlias]
    [CakeAliasCategory("Models")]
    public static LortaInjectResult LortaInject(this ICakeContext context, string model, string output) =>
        LortaInject(context, model, output, new LortaInjectSettings());

    /// <summary>Writes an adapter into a model as side branches, whose factors are inputs.</summary>
    /// <param name="context">The script's context.</param>
    /// <param name="model">An <c>.onnx</c> file, or a folder that holds exactly one.</param>
    /// <param name="output">The model with the adapter; the adapter folder goes next to it.</param>
    /// <param name="settings">Options.</param>
    /// <returns>What was adapted.</returns>
    /// <exception cref="CakeException">It failed; the message holds code and hint, and so does <c>Data</c>.</exception>
    [CakeMethodAlias]
    [CakeAliasCategory("Models")]
    public static LortaInjectResult LortaInject(this ICakeContext context, string model, string output, LortaInjectSettings settings) =>
        LortaTool.Run<LortaInjectResult>(context, settings, ["inject", model, "-o", output]);

    /// <inheritdoc cref="LortaArtifacts(ICakeContext, string, string, string, LortaArtifactsSettings)"/>
    [CakeMethodAlias]
    [CakeAliasCategory("Training")]
    public static LortaArtifactsResult LortaArtifacts(this ICakeContext context, string model, string output, string task) =>
        LortaArtifacts(context, model, output, task, new LortaArtifactsSettings());

    /// <summary>Writes the training, evaluation and optimizer graphs of an adapter.</summary>
    /// <param name="context">The script's context.</param>
    /// <param name="model">An <c>.onnx</c> file, or a folder that holds exactly one.</param>
    /// <param name="output">The folder of the artifacts.</param>
    /// <param name="task">The loss, for instance <c>causal-lm</c>; null where the settings name a recipe.</param>
    /// <param name="settings">Options.</param>
    /// <returns>The files.</returns>
    /// <exception cref="CakeException">It failed; the message holds code and hint, and so does <c>Data</c>.</exception>
    [CakeMethodAlias]
    [CakeAliasCategory("Training")]
    public static LortaArtifactsResult LortaArtifacts(
        this ICakeContext context, string model, string output, string? task, LortaArtifactsSettings settings) =>
        LortaTool.Run<LortaArtifactsResult>(
            context, settings, ["artifacts", model, "-o", output, .. task is null ? [] : (string[])["--task", task]]);

    /// <inheritdoc cref="LortaConvert(ICakeContext, string, string, string, LortaConvertSettings)"/>
    [CakeMethodAlias]
    [CakeAliasCategory("Training")]
    public static LortaConvertResult LortaConvert(this ICakeContext context, string from, string adapter, string artifacts) =>
        LortaConvert(context, from, adapter, artifacts, new LortaConvertSettings());

    /// <summary>Makes an adapter of what ONNX Runtime Training has trained.</summary>
    /// <param name="context">The script's context.</param>
    /// <param name="from">A checkpoint that it saved, or its trained parameters as bytes.</param>
    /// <param name="adapter">The adapter folder.</param>
    /// <param name="artifacts">The artifacts that the training began with.</param>
    /// <param name="settings">Options.</param>
    /// <returns>The adapter.</returns>
    /// <exception cref="CakeException">It failed; the message holds code and hint, and so does <c>Data</c>.</exception>
    [CakeMethodAlias]
    [CakeAliasCategory("Training")]
    public static LortaConvertResult LortaConvert(
        this ICakeContext context, string from, string adapter, string artifacts, LortaConvertSettings settings) =>
        LortaTool.Run<LortaConvertResult>(context, settings, ["convert", from, adapter, "--artifacts", artifacts]);

    /// <summary>Compares derived gradients with central differences; fails where one is wrong.</summary>
    /// <param name="context">The script's context.</param>
    /// <param name="model">An <c>.onnx</c> file, or a folder that holds exactly one.</param>
    /// <param name="task">The loss, for instance <c>causal-lm</c>.</param>
    /// <returns>How far they are apart.</returns>
    /// <exception cref="CakeException">It failed; the message holds code and hint, and so does <c>Data</c>.</exception>
    [CakeMethodAlias]
    [CakeAliasCategory("Models")]
    public static LortaGradcheckResult LortaGradcheck(this ICakeContext context, string model, string task) =>
        LortaGradcheck(context, model, new LortaGradcheckSettings { Task = task });

    /// <summary>Compares derived gradients with a golden file, or with central differences; fails where one is wrong.</summary>
    /// <param name="context">The script's context.</param>
    /// <param name="model">An <c>.onnx</c> file, or a folder that holds exactly one.</param>
    /// <param name="settings">The golden file or the task, and further options.</param>
    /// <returns>How far they are apart.</returns>
    /// <exception cref="CakeException">It failed; the message holds code and hint, and so does <c>Data</c>.</exception>
    [CakeMethodAlias]
    [CakeAliasCategory("Models")]
    public static LortaGradcheckResult LortaGradcheck(this ICakeContext context, string model, LortaGradcheckSettings settings) =>
        LortaTool.Run<LortaGradcheckResult>(context, settings, ["gradcheck", model]);
}

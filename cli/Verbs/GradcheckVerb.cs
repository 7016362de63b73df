using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta gradcheck MODEL (--golden FILE | --task …)</c>.</summary>
internal static class GradcheckVerb
{
    public static Verb Create(LortaCatalog catalog)
    {
        var model = Arg.Model();
        var golden = Opt.Path("--golden", "A golden .safetensors with its .json next to it.", "FILE");
        var batch = Opt.Path(
            "--batch", "The batch; default: the golden's own, in reference/ next to the model, or random tokens.", "FILE");
        var names = Opt.Path("--names", "Parameter names that override the derived ones.", "FILE");
        var task = Opt.Of<string?>("--task", "Without a golden: the loss.", "NAME").Completing(catalog.Losses.Select(loss => loss.Name));
        var adapter = new AdapterArguments(catalog);
        var seed = Opt.Seed();
        var runtime = new RuntimeArguments();
        return Verb.Define(
            "gradcheck",
            "Compare derived gradients with a golden file, or with central differences.",
            [model, golden, batch, names, .. adapter.Symbols, task, seed, .. runtime.Symbols],
            call =>
            {
                using var engine = new OrtEngine(runtime.Settings(call));
                var checkedModel = OnnxModel.Load(call.Get(model));
                if (call.Get(golden) is { } file)
                {
                    var compared = engine.CheckGolden(checkedModel, file, call.Get(batch), call.Get(names));
                    return new Verdict(compared, compared.Failure(checkedModel.FileName));
                }
                var options = new TrainingOptions
                {
                    Adapter = adapter.Options(call),
                    Task = call.Get(task) ?? throw NeedsTask(),
                    Seed = call.Get(seed) ?? 0,
                };
                var measured = engine.CheckGradients(checkedModel, options, call.Get(batch));
                return new Verdict(measured, measured.Failure(checkedModel.FileName));
            });
    }

    private static LortaException NeedsTask() =>
        new(
            "LRT804",
            "gradcheck: give --golden FILE, or --task NAME for central differences.",
            "For instance: lorta gradcheck MODEL --method lorta --task causal-lm.")
        { IsUsage = true };
}

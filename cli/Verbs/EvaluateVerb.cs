using LoRTA.Onnx.Training;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta evaluate RECIPE [--adapter DIR] [--model MODEL]</c>.</summary>
internal static class EvaluateVerb
{
    public static Verb Create()
    {
        var (recipe, settings, adapter, model) = (Arg.Recipe(), Opt.Settings(), Opt.Adapter(), Opt.Of<string?>("--model", "Another model file, for instance the folded one.", "MODEL"));
        var (allow, seed, threads, device) = (Opt.AllowBase(), Opt.Seed(), Opt.Threads(), Opt.Device());
        return Verb.Define("evaluate", "Measure loss and metrics on a recipe's validation data.",
            [recipe, settings, adapter, model, allow, seed, threads, device], call =>
        {
            var request = new EvaluationRequest
            {
                Recipe = RecipeArgument.Load(call.Get(recipe), call.Get(settings), (null, call.Get(seed), call.Get(device))),
                Adapter = call.Get(adapter),
                Model = call.Get(model),
                AllowOtherBase = call.Get(allow),
                Threads = call.Get(threads) ?? 0,
            };
            return TrainingRun.Evaluate(request, call.Progress);
        });
    }
}

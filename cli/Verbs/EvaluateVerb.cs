using LoRTA.Onnx.Training;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta evaluate RECIPE [--adapter DIR] [--model MODEL]</c>.</summary>
internal static class EvaluateVerb
{
    public static Verb Create()
    {
        var recipe = Arg.Recipe();
        var settings = Opt.Settings();
        var adapter = Opt.Adapter();
        var model = Opt.Path("--model", "Another model file, for instance the folded one.", "MODEL");
        var allow = Opt.AllowBase();
        var seed = Opt.Seed("the recipe's");
        var runtime = new RuntimeArguments();
        return Verb.Define("evaluate", "Measure loss and metrics on a recipe's validation data.",
            [recipe, settings, adapter, model, allow, seed, .. runtime.Symbols], call =>
        {
            var loaded = RecipeArgument.Load(call, call.Get(recipe), call.Get(settings), (null, call.Get(seed), runtime.Device(call)));
            var options = new EvaluationOptions
            {
                Adapter = call.Get(adapter),
                Model = call.Get(model),
                AllowOtherBase = call.Get(allow),
            };
            using var engine = runtime.Engine(call, loaded);
            return loaded.Evaluate(engine, options, call.Progress);
        });
    }
}

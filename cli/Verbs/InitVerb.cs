using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.Training.Runs;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta init MODEL [--task T] [-o RECIPE]</c>.</summary>
internal static class InitVerb
{
    private const string Usual = "recipe.yaml";

    public static Verb Create()
    {
        var model = Arg.Model();
        var task = Opt.Of<string?>("--task",
            $"What to train for: {string.Join(", ", FirstRecipe.Tasks)} (default: from the model's outputs).",
            "NAME");
        var output = Opt.OptionalOutput($"The recipe (default: {Usual}).");
        var force = Opt.Force();
        return Verb.Define("init", "Write a first recipe for a model; only its data section has to be filled in.",
            [model, task, output, force], call =>
        {
            var path = call.Get(output) ?? Usual;
            CheckName(path);
            var found = FirstRecipe.Write(call.Get(model), call.Get(task), path, call.Get(force));
            call.Progress.Report($"Fill in `data` in {path}, then:\n  lorta train {ShellPath.Quoted(path)}");
            return new InitResult(path, found);
        });
    }

    private static void CheckName(string path)
    {
        if (!(Path.GetExtension(path) is ".yaml" or ".yml"))
            throw new LortaException("LRT809", $"-o: a recipe is a .yaml file, '{path}' is not.", $"For instance: -o {Usual}.")
            { IsUsage = true };
    }
}

/// <summary>The JSON of <c>lorta init</c>.</summary>
internal sealed record InitResult(string Recipe, string Task);

using System.CommandLine;

namespace LoRTA.Onnx.Cli;

/// <summary>Arguments that verbs share.</summary>
internal static class Arg
{
    private const string ModelHelp = "An .onnx file, or a folder that holds exactly one.";

    public static Argument<string> Model(string name = "MODEL") =>
        Path(name, ModelHelp);

    public static Argument<string?> OptionalModel() =>
        PathCheck.On(new Argument<string?>("MODEL") { Description = ModelHelp, Arity = ArgumentArity.ZeroOrOne });

    public static Argument<string> Recipe() =>
        Path("RECIPE", "A recipe in YAML; 'lorta schema recipe' describes its keys.");

    /// <summary>A file or folder.</summary>
    public static Argument<string> Path(string name, string description) =>
        PathCheck.On(new Argument<string>(name) { Description = description });

    /// <summary>One of a few words.</summary>
    public static Argument<string> OneOf(string name, string description, params string[] words) =>
        new Argument<string>(name) { Description = description }.AcceptOnlyFromAmong(words);
}

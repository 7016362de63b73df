using System.CommandLine;

namespace LoRTA.Onnx.Cli;

/// <summary>Arguments that verbs share.</summary>
internal static class Arg
{
    public static Argument<string> Model(string name = "MODEL") =>
        new(name) { Description = "An .onnx file, or a folder that holds exactly one." };

    public static Argument<string?> OptionalModel() =>
        new("MODEL") { Description = "An .onnx file, or a folder that holds exactly one.", Arity = ArgumentArity.ZeroOrOne };

    public static Argument<string> Recipe() =>
        new("RECIPE") { Description = "A recipe in YAML; 'lorta schema recipe' describes its keys." };

    /// <summary>One of a few words.</summary>
    public static Argument<string> OneOf(string name, string description, params string[] words) =>
        new Argument<string>(name) { Description = description }.AcceptOnlyFromAmong(words);
}

using System.CommandLine;
using System.CommandLine.Parsing;

namespace LoRTA.Onnx.Cli;

/// <summary>What every argument and option that names a file or folder must fulfil.</summary>
internal static class PathCheck
{
    public static Argument<T> On<T>(Argument<T> argument)
    {
        argument.Validators.Add(result => Check(result, argument.Name));
        return argument;
    }

    public static Option<T> On<T>(Option<T> option)
    {
        option.Validators.Add(result => Check(result, option.Name));
        return option;
    }

    // A shell variable that is not set becomes an empty argument.
    private static void Check(SymbolResult result, string name)
    {
        if (result.Tokens.Any(token => token.Value.Length == 0)) result.AddError($"{name}: must name a file or folder, but is empty.");
    }
}

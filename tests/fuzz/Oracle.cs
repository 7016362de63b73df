using System.Security.Cryptography;
using System.Text.RegularExpressions;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Fuzz.Tests;

/// <summary>What must hold of every input: an error with a code that leaves nothing, or success; and inputs are never changed.</summary>
internal static partial class Oracle
{
    private const int Shown = 600;   // characters of a result

    /// <summary>What a run did that it must not do; null = nothing.</summary>
    /// <param name="outcome">What the command did.</param>
    /// <param name="before">The folder's files before.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="made">What was run.</param>
    public static string? Complaint(Outcome outcome, IReadOnlyDictionary<string, string> before, TestFolder folder, FuzzCase made)
    {
        if (outcome.ExitCode is not { } code) return outcome.Error;
        var (after, outputs) = (Files(folder), made.Outputs);
        if (before.FirstOrDefault(file => after.GetValueOrDefault(file.Key) != file.Value && !IsOutput(file.Key, outputs)).Key is { } changed) return $"the input {changed} was changed or removed";
        var written = after.Keys.Where(file => !before.ContainsKey(file)).ToList();
        var isReport = code == 1 && made.Args[0] is ("inspect" or "gradcheck") && outcome.Output.Length > 0 && Code().IsMatch(outcome.Error);   // not understood; another golden
        return code == 0 || isReport ? OfSuccess(written, outputs) : OfFailure(outcome, code, written, outputs);
    }

    /// <summary>Files and their hashes.</summary>
    public static IReadOnlyDictionary<string, string> Files(TestFolder folder) => folder.Entries
        .Where(entry => File.Exists(folder[entry]))
        .ToDictionary(entry => entry, entry => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(folder[entry]))), StringComparer.Ordinal);

    private static string? OfSuccess(List<string> written, IReadOnlyList<string> outputs) =>
        written.FirstOrDefault(file => !IsOutput(file, outputs) || file.EndsWith(".tmp", StringComparison.Ordinal)) is { } other ? $"it left {other}" : null;

    private static string? OfFailure(Outcome outcome, int code, List<string> written, IReadOnlyList<string> outputs)
    {
        if (code is not (1 or 2)) return $"exit code {code}";
        if (outcome.Output.Length > 0) return $"exit code {code} with a result: {outcome.Output[..Math.Min(outcome.Output.Length, Shown)]}";
        if (Defect().IsMatch(outcome.Error)) return "an exception without a code";
        if (!Code().IsMatch(outcome.Error) && !WrongUsage().IsMatch(outcome.Error)) return "no code";
        return written.FirstOrDefault(file => !file.EndsWith("/log.txt", StringComparison.Ordinal) || !IsOutput(file, outputs)) is { } left ? $"it left {left}" : null;
    }

    // Below it, or beside it with a further ending (out.onnx, out.onnx.data).
    private static bool IsOutput(string file, IReadOnlyList<string> outputs) =>
        outputs.Any(output => file.StartsWith(output, StringComparison.Ordinal) && file.Length > output.Length && file[output.Length] is '/' or '.');

    // As text, or under --json as a document.
    [GeneratedRegex("""^(?:(?:.+\(\d+\): )?error LRT\d{3}: |\{"error":\{"code":"LRT\d{3}")""", RegexOptions.Multiline)]
    private static partial Regex Code();

    [GeneratedRegex("""^(?:error: .*\n.*hint: |\{"error":\{"code":null,.*"hint":".*)See 'lorta""", RegexOptions.Multiline)]
    private static partial Regex WrongUsage();

    [GeneratedRegex("""^(?:error: |\{"error":\{"code":null,"message":")Unexpected""", RegexOptions.Multiline)]
    private static partial Regex Defect();
}

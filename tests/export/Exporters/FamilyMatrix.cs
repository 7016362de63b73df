using System.Collections.Concurrent;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Families;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Export.Tests.Exporters;

/// <summary>Every family on every file, each with what came of it. CI takes one plain, one fused and one quantised file; with <c>LORTA_MATRIX=1</c> all files are taken.</summary>
internal sealed class FamilyMatrix
{
    private static readonly string[] Some = ["llama-mini/ts-sdpa", "roberta-mini/seqcls.ort-fused", "llama-mini/genai-int4"];

    private readonly ConcurrentDictionary<(string Check, string Method, string File), string> _cells = new();

    /// <summary>Every family on every file.</summary>
    public static IEnumerable<TestCaseData> Cases =>
        from name in IsWhole ? Exports.All.Concat(Architectures.All.Select(architecture => architecture.Name)) : Some
        from family in AdapterFamilies.All
        select new TestCaseData(family.Method, name).SetArgDisplayNames(family.Method, name);

    /// <summary>Those of them that a scale of zero switches off: what trains the model's own parameters has none.</summary>
    public static IEnumerable<TestCaseData> CasesWithSwitch => Cases.Where(given => !LortaCatalog.Default.TargetsOf((string)given.Arguments[0]!)!.AreParameters);

    /// <summary>Whether all files are taken, and a table of them is written.</summary>
    public static bool IsWhole => Environment.GetEnvironmentVariable("LORTA_MATRIX") == "1";

    /// <summary>A family as it is checked: small.</summary>
    public static AdapterOptions OptionsOf(string method) => method switch
    {
        "dora" => new() { Method = method, Rank = 2, Alpha = 0.5, Targets = ["all-linear"] },
        "loretta_adp" => new() { Method = method, Options = new Dictionary<string, string> { ["bottleneck"] = "4", ["ttRank"] = "3" } },
        "nola" => new() { Method = method, Rank = 2, Alpha = 0.5, Options = new Dictionary<string, string> { ["bases"] = "8" } },
        _ => new() { Method = method, Rank = 2, Alpha = 0.5 },
    };

    /// <summary>Runs one check of one family on one file, and keeps what came of it: <c>ok</c>, the code of a refusal, or a failure.</summary>
    public void Run(string check, string method, string file, Action<AdaptedFile> run)
    {
        var cell = "FAILED";
        try
        {
            run(new AdaptedFile(file, OptionsOf(method)));
            cell = "ok";
        }
        catch (LortaException refusal)
        {
            Assert.That(Refusals(check, method, file), Does.Contain(refusal.Code), refusal.Message);
            Assert.That(refusal.Message, Does.EndWith("."), "one sentence");
            cell = $"refused({refusal.Code})";
            TestContext.Out.WriteLine($"{refusal.Code} {refusal.Message}");
        }
        finally
        {
            _cells[(check, method, file)] = cell;
        }
    }

    // What may be refused: numbers that are rounded or not there, what no weight holds, what no side branch carries, a place in a fused operator.
    private static IEnumerable<string> Refusals(string check, string method, string file) =>
    [
        .. method is "bitfit" or "full" ? ["LRT314"] : Array.Empty<string>(),
        .. method is "bitfit" ? ["LRT307"] : Array.Empty<string>(),
        .. (check, method) switch
        {
            ("folded", "loretta_adp" or "prefix") => ["LRT312"],
            ("kept base", "bitfit" or "full") => ["LRT322"],
            ("kept base", "prefix") => ["LRT328"],
            _ => Array.Empty<string>(),
        },
        // not every layer of the small graphs is understood, and in one of them keys are normalised behind their rotation
        .. file.Contains('/', StringComparison.Ordinal) ? Array.Empty<string>() : ["LRT202", "LRT204"],
        .. (method, file) is ("prefix", "llama4") ? ["LRT327"] : Array.Empty<string>(),
    ];

    /// <summary>One table for each check, files by families.</summary>
    public string Table()
    {
        var methods = AdapterFamilies.All.Select(family => family.Method).ToList();
        return string.Join("\n", _cells.Keys.Select(key => key.Check).Distinct().Order(StringComparer.Ordinal).SelectMany(check => (string[])
        [
            $"## {check}", string.Empty, $"| file | {string.Join(" | ", methods)} |", $"| --- |{string.Concat(methods.Select(_ => " --- |"))}",
            .. _cells.Keys.Where(key => key.Check == check).Select(key => key.File).Distinct().Order(StringComparer.Ordinal)
                .Select(file => $"| {file} | {string.Join(" | ", methods.Select(method => _cells.GetValueOrDefault((check, method, file), string.Empty)))} |"),
            string.Empty,
        ]));
    }
}

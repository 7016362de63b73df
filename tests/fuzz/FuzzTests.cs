using System.Globalization;
using LoRTA.Onnx.Fuzz.Tests.Mutations;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Fuzz.Tests;

/// <summary>Seeded mutations of every format that the tool reads. <c>LORTA_FUZZ_COUNT</c> sets the number of all runs, <c>LORTA_FUZZ_SEED</c> another seed.</summary>
internal sealed class FuzzTests
{
    private const int FewHundred = 300;

    private static readonly int Count = Number("LORTA_FUZZ_COUNT", FewHundred);
    private static readonly int Seed = Number("LORTA_FUZZ_SEED", 1);

    private static IEnumerable<FuzzFormat> Formats =>
    [
        OnnxMutations.Format,
        ExternalDataMutations.Format,
        SafetensorsMutations.Adapter,
        SafetensorsMutations.Inputs,
        SafetensorsMutations.Factors,
        SafetensorsMutations.Checkpoint,
        TextMutations.Config,
        TextMutations.Golden,
        TextMutations.Tokenizer,
        TextMutations.Recipe,
        TextMutations.Data,
    ];

    [TestCaseSource(nameof(Formats))]
    public void Mutated_input_is_an_error_with_a_code_or_a_success(FuzzFormat format)
    {
        using var worker = new Worker();
        var complaints = new List<string>();
        for (var index = 0; index < Math.Max(1, Count * format.Share / 100); index++)
        {
            using var folder = new TestFolder();
            var made = format.Make(folder, new SeededRandom(Seed, $"{format.Name}/{index.ToString(CultureInfo.InvariantCulture)}"));
            var before = Oracle.Files(folder);
            var outcome = worker.Run(made.Args);
            if (Oracle.Complaint(outcome, before, folder, made) is not { } complaint) continue;
            complaints.Add($"{format.Name} {Seed}/{index}: {complaint}\n    lorta {string.Join(' ', made.Args)}\n    {outcome.Error.Trim()}");
            Keep(folder, $"{format.Name}-{Seed}-{index}");
        }
        Assert.That(complaints.Count, Is.Zero, string.Join('\n', complaints));
    }

    // LORTA_FUZZ_KEEP names a folder for inputs that fail.
    private static void Keep(TestFolder folder, string name)
    {
        if (Environment.GetEnvironmentVariable("LORTA_FUZZ_KEEP") is not { Length: > 0 } kept) return;
        foreach (var entry in folder.Entries.Where(entry => File.Exists(folder[entry])))
        {
            var target = Path.Combine(kept, name, entry);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(folder[entry], target, overwrite: true);
        }
    }

    private static int Number(string variable, int otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}

using LoRTA.Onnx.Cli;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Kill.Tests;

/// <summary>A command in a folder of its own, whose outputs lie in <c>o</c>.</summary>
/// <param name="Name">For reports.</param>
/// <param name="Prepare">Commands that make the inputs and the output that is replaced.</param>
/// <param name="Command">The command that is killed; <c>{f}</c> is the folder.</param>
/// <param name="Again">The command that goes on afterwards.</param>
internal sealed record KillScenario(string Name, string[] Prepare, string Command, string Again)
{
    private const string Adapt = "inject {f}/in -o {f}/a1.onnx --rank 2 --seed 1 --method lorta --option zero=C_M --factors {f}/f1.safetensors";
    private const string AdaptOther = "inject {f}/in -o {f}/a2.onnx --rank 2 --seed 2 --method lorta --option zero=C_M --factors {f}/f2.safetensors";
    private const string Train = "train {f}/recipe.yaml -o {f}/o/run --threads 1 --quiet";

    public static IReadOnlyList<KillScenario> All { get; } =
    [
        Export("a new file", string.Empty, "{f}/in/model.onnx", "m.onnx"),
        Export("a new file with its data", "--keep-base", "{f}/in/model.onnx", "m.onnx"),
        Export("a file with its data over another", "--force", "{f}/in/model.onnx", "m.onnx"),
        Export("a folder over another", "--force --keep-base", "{f}/in", "m"),
        Inject("a model with side branches over another"),
        new("a training run", [], Train, $"{Train} --resume"),
        new("a training run over another", [$"{Train} --set seed=9"], $"{Train} --force", $"{Train} --force"),
    ];

    public override string ToString() => Name;

    /// <summary>Makes the inputs, and what the command is going to replace.</summary>
    public void Fill(string folder)
    {
        Directory.CreateDirectory(Path.Combine(folder, "in"));
        Directory.CreateDirectory(Path.Combine(folder, "o"));
        var model = OnnxModel.Load(Path.Combine(Fixtures.Repository, "models", "llama-mini", "model.onnx"));
        foreach (var value in model.Graph.Initializers) value.IsExternal = !Name.EndsWith("new file", StringComparison.Ordinal);
        model.Save(Path.Combine(folder, "in", "model.onnx"));
        foreach (var name in new[] { "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json" })
            File.Copy(Path.Combine(Fixtures.Repository, "models", "llama-mini", name), Path.Combine(folder, "in", name));
        foreach (var seed in new[] { 1, 2 }) Factors.Save(Path.Combine(folder, $"f{seed}.safetensors"), seed);
        File.WriteAllLines(Path.Combine(folder, "log.txt"), File.ReadLines(Path.Combine(Fixtures.Repository, "models", "data", "ship-log.txt")).Take(80));
        File.WriteAllText(Path.Combine(folder, "recipe.yaml"), """
            model: in
            task: causal-lm
            adapter: { method: lorta, rank: 2, alpha: 8, targets: [q, v], layers: [0] }
            data: { train: log.txt, validationFraction: 0.2, maxLength: 16, packing: true }
            train: { steps: 4, batchSize: 2, optimizer: { lr: 5e-2 }, saveEvery: 1, evaluateEvery: 2, keepBest: loss }
            """);
        foreach (var command in Prepare) Assert.That(Run(folder, command), Is.Zero, command);
    }

    /// <summary>The arguments of a command in a folder.</summary>
    public static string[] Arguments(string folder, string command) => [.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => word.Replace("{f}", folder, StringComparison.Ordinal))];

    /// <summary>Runs a command in this process.</summary>
    public static int Run(string folder, string command)
    {
        using var error = new StringWriter();
        var code = Application.Run(Arguments(folder, command), TextWriter.Null, error, CancellationToken.None);
        if (code != 0) TestContext.Out.WriteLine($"{command}: {error}");
        return code;
    }

    private static KillScenario Inject(string name)
    {
        var inject = Adapt.Replace("{f}/a1.onnx", "{f}/o/m.onnx --force", StringComparison.Ordinal);
        var other = AdaptOther.Replace("{f}/a2.onnx", "{f}/o/m.onnx --force", StringComparison.Ordinal);
        return new(name, [inject], other, other);
    }

    private static KillScenario Export(string name, string options, string model, string output)
    {
        var export = $"export {model} --adapter {{f}}/a2.adapter -o {{f}}/o/{output} {options}";
        var isForced = options.Contains("--force", StringComparison.Ordinal);
        string[] before = isForced ? [$"export {model} --adapter {{f}}/a1.adapter -o {{f}}/o/{output} {options}"] : [];
        return new(name, [Adapt, AdaptOther, .. before], export, $"{export}{(isForced ? string.Empty : " --force")}");
    }
}

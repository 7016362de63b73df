using System.Text.Json.Nodes;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Fuzz.Tests.Mutations;

/// <summary>Formats of text: adapter configurations, goldens, tokenizers, recipes and data files.</summary>
internal static class TextMutations
{
    public static FuzzFormat Config { get; } = new("adapter-config", 12, (folder, random) =>
    {
        Seeds.WriteAdapter(Seeds.Decoder, folder["adapter"], random.Of<string>(["lora", "lorta"]));
        ChangeJson(folder["adapter", "adapter_config.json"], random);
        return FuzzCase.Of(folder, $"export {Seeds.Decoder} --adapter {{f}}/adapter -o {{f}}/out.onnx --verify", "out");
    });

    public static FuzzFormat Golden { get; } = new("golden", 4, (folder, random) =>
    {
        var goldens = Path.Combine(Fixtures.Repository, "tests", "fixtures", "goldens", "llama-mini");
        File.Copy(Path.Combine(goldens, "causal-lm.lora.safetensors"), folder["golden.safetensors"]);
        File.Copy(Path.Combine(goldens, "causal-lm.lora.json"), folder["golden.json"]);
        ChangeJson(folder["golden.json"], random);
        var batch = Path.Combine(Fixtures.Repository, "tests", "fixtures", "models", "llama-mini", "reference", "batch.safetensors");
        return FuzzCase.Of(folder, $"gradcheck {Seeds.Bundled} --golden {{f}}/golden.safetensors --batch {batch}");
    });

    public static FuzzFormat Tokenizer { get; } = new("tokenizer", 4, (folder, random) =>
    {
        foreach (var file in Directory.GetFiles(Seeds.Bundled).Where(file => !file.EndsWith(".onnx", StringComparison.Ordinal))) File.Copy(file, folder[Path.GetFileName(file)]);
        ChangeJson(folder[random.Of<string>(["tokenizer.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "config.json"])], random);
        return FuzzCase.Of(folder, $"generate {Path.Combine(Seeds.Bundled, "model.onnx")} --tokenizer {{f}} --prompt And --max-tokens 1");
    });

    public static FuzzFormat Recipe { get; } = new("recipe", 4, (folder, random) =>
    {
        WriteRecipe(folder);
        var lines = File.ReadAllLines(folder["recipe.yaml"]).ToList();
        for (var i = 0; i <= random.NextIndex(2); i++) ChangeLine(lines, random);
        File.WriteAllLines(folder["recipe.yaml"], lines);
        return FuzzCase.Of(folder, "train {f}/recipe.yaml --set train.steps=1 -o {f}/run --quiet --threads 1", "run");
    });

    public static FuzzFormat Data { get; } = new("data", 4, (folder, random) =>
    {
        WriteRecipe(folder);
        File.WriteAllBytes(folder["log.txt"], ByteMutations.Apply(File.ReadAllBytes(folder["log.txt"]), random));
        return FuzzCase.Of(folder, "train {f}/recipe.yaml -o {f}/run --quiet --threads 1", "run");
    });

    /// <summary>A recipe of two steps, with its data.</summary>
    public static void WriteRecipe(TestFolder folder)
    {
        var entries = File.ReadAllText(Path.Combine(Fixtures.Repository, "models", "data", "ship-log.txt")).Split("\n\n");
        folder.Write("log.txt", string.Join("\n\n", entries.Take(12)));
        folder.Write("recipe.yaml", $$"""
            model: {{Seeds.Bundled}}
            task: causal-lm
            seed: 5
            adapter:
              method: lora
              rank: 2
              alpha: 8
              targets: [q, v]
              layers: [0, 2]
            data:
              train: log.txt
              validationFraction: 0.2
              maxLength: 16
            train:
              steps: 2
              batchSize: 1
              optimizer: { lr: 5e-2 }
              schedule: { name: cosine, warmupSteps: 1 }
              saveEvery: 1
            """);
    }

    private static void ChangeJson(string file, SeededRandom random)
    {
        var text = File.ReadAllText(file);
        File.Delete(file);
        if (random.Chance(0.1)) File.WriteAllBytes(file, ByteMutations.Apply(System.Text.Encoding.UTF8.GetBytes(text), random));
        else File.WriteAllText(file, JsonMutations.Apply(JsonNode.Parse(text)!, random));
    }

    private static void ChangeLine(List<string> lines, SeededRandom random)
    {
        var at = random.NextIndex(lines.Count);
        var colon = lines[at].IndexOf(':', StringComparison.Ordinal);
        switch (random.NextIndex(6))
        {
            case 0 when lines.Count > 2: lines.RemoveAt(at); break;
            case 1: lines.Insert(at, lines[at]); break;
            case 2: lines[at] = " " + lines[at]; break;
            case 3 when colon > 0: lines[at] = lines[at][..(colon + 1)] + " " + random.Of(Choices.Extremes).ToString(System.Globalization.CultureInfo.InvariantCulture); break;
            case 4 when colon > 0: lines[at] = lines[at][..(colon + 1)] + random.Of<string>([" [", " {a: 1}", " *x", " &x [*x]", " null", " .nan", " \"", " !!binary x", " -"]); break;
            default: lines[at] = lines[at].Insert(random.NextIndex(lines[at].Length + 1), random.Of<string>(["\t", "'", ":", "- ", "\u0000", "é", "%"])); break;
        }
    }
}

using System.Text.Json;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Attention.Inputs;
using LoRTA.Onnx.Runtime.Tokenizers;

namespace LoRTA.Onnx.Runtime.Generation;

/// <summary>How many tokens a model reads at most.</summary>
/// <param name="Tokens">Special tokens included.</param>
/// <param name="Source">Where that is stated.</param>
public sealed record PositionLimit(int Tokens, string Source)
{
    private static readonly string[] Keys = ["context_length", "max_position_embeddings", "n_positions"];

    // Position i lies in row i + id of the padding token + 1: as many rows of the table are no token's.
    private static readonly string[] TypesWithOffset =
        ["roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "longformer", "mpnet", "data2vec-text", "xmod", "ibert"];

    private const int UsualPadding = 1;   // of those types, where config.json leaves it to the default

    /// <summary>The smallest of what the graph's tables of positions hold and the first file beside it that states a number; null where
    /// nothing limits it.</summary>
    /// <param name="model">The deployed model.</param>
    /// <param name="folders">The folders of its configurations; those of the first folder go first.</param>
    /// <exception cref="LortaException">LRT103: a file cannot be read; LRT105: it is no JSON.</exception>
    public static PositionLimit? Of(OnnxModel model, params IReadOnlyList<string> folders)
    {
        var stated = Of(ConfigFiles.Read(folders));
        var table = OfTable(model);
        return table is null || stated?.Tokens <= table.Tokens ? stated : table;
    }

    /// <summary>What the graph's tables of positions hold, above which it cannot compute; null where it has none. A number that is only
    /// stated may be the length of pretraining, as it is of most models with rotary embeddings.</summary>
    internal static PositionLimit? OfTable(OnnxModel model) =>
        PositionTable.Tokens(model) is { } tokens ? new PositionLimit((int)tokens, $"table of positions in {model.FileName}") : null;

    /// <summary>What the first file says that says something.</summary>
    internal static PositionLimit? Of(ConfigFiles files) => files.All.Select(Of).FirstOrDefault(limit => limit is not null);

    private static PositionLimit? Of(ConfigFile file)
    {
        var stated = Keys.Select(key => (Key: key, Rows: Number(file.Json, key))).FirstOrDefault(pair => pair.Rows is not null);
        if (stated.Rows is not { } rows || HasNoTable(file.Json)) return null;
        var first = HasOffset(file.Json) ? (Number(file.Json, "pad_token_id") ?? UsualPadding) + 1 : 0;
        return rows > first ? new PositionLimit(rows - first, $"{stated.Key} in {file.Path}") : null;
    }

    private static bool HasOffset(JsonElement config) => config.Text("model_type") switch
    {
        "esm" => config.Text("position_embedding_type") != "rotary",
        var type => TypesWithOffset.Contains(type, StringComparer.Ordinal),
    };

    // Relative distances alone, of any length: T5 states the length that it was pretrained with, DeBERTa the rows of a table that it
    // leaves out.
    private static bool HasNoTable(JsonElement config) =>
        config.Flag("position_biased_input") is false || config.Text("model_type") is "t5" or "mt5" or "umt5" or "longt5";

    private static int? Number(JsonElement config, string key) => config.Find(key) is { } json ? ConfigFiles.Number(json) : null;
}

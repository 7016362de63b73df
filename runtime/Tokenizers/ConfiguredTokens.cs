using System.Globalization;
using System.Text.Json;

namespace LoRTA.Onnx.Runtime.Tokenizers;

/// <summary>What the configuration of a folder says of single tokens: which have a role, and which are added to the vocabulary.</summary>
/// <param name="config">tokenizer_config.json.</param>
/// <param name="map">special_tokens_map.json.</param>
/// <param name="readAdded">Reads added_tokens.json, which counts where the configuration has no list.</param>
internal sealed class ConfiguredTokens(JsonElement config, JsonElement map, Func<JsonElement> readAdded)
{
    private const string More = "additional_special_tokens";

    private static readonly string[] Roles = ["bos", "eos", "pad", "mask", "unk", "cls", "sep"];

    /// <summary>The token that has a role: the one that is configured, else the one of the usual name.</summary>
    public int? Role(string role, Vocabulary vocabulary) =>
        Written(role) is { } token && Content(token) is { } content ? vocabulary.Find(content) : Usual(role, vocabulary);

    /// <summary>Adds the tokens that the configuration lists, and those with a role, to a vocabulary.</summary>
    public List<AddedToken> AddTo(Vocabulary vocabulary)
    {
        var added = Listed().ToList();
        foreach (var (token, content) in Named())
            if (vocabulary.Find(content) is { } id) added.Add(TokenizerJson.ReadAdded(token, content, id, isSpecial: true));
        foreach (var role in Roles)
            if (Written(role) is null && Usual(role, vocabulary) is { } usual)
                added.Add(new AddedToken(vocabulary.Piece(usual)!, usual) { Special = true });
        added = [.. added.DistinctBy(token => token.Id)];
        foreach (var token in added) vocabulary.Add(token.Content, token.Id);
        return added;
    }

    /// <summary>Added tokens as they are listed. added_tokens.json is older; where the configuration has a list, that list is
    /// whole.</summary>
    public IEnumerable<AddedToken> Listed()
    {
        if (config.Find("added_tokens_decoder") is { ValueKind: JsonValueKind.Object } listed)
        {
            foreach (var token in listed.EnumerateObject())
            {
                var id = int.Parse(token.Name, CultureInfo.InvariantCulture);
                yield return TokenizerJson.ReadAdded(token.Value, token.Value.Text("content") ?? string.Empty, id);
            }
        }
        else if (readAdded() is { ValueKind: JsonValueKind.Object } older)
        {
            var special = Named().Select(token => token.Content).ToHashSet(StringComparer.Ordinal);
            foreach (var token in older.EnumerateObject())
            {
                var isSpecial = special.Contains(token.Name);
                yield return new AddedToken(token.Name, token.Value.GetInt32()) { Special = isSpecial, Normalized = !isSpecial };
            }
        }
    }

    /// <summary>Tokens that have a role, and further special ones.</summary>
    public IEnumerable<(JsonElement Token, string Content)> Named() =>
        from token in Roles.Select(Written).OfType<JsonElement>().Concat(map.Array(More)).Concat(config.Array(More))
            .Concat(config.Array("extra_special_tokens"))
        let content = Content(token)
        where content is not null
        select (token, content);

    /// <summary>The tokens with a role, and all special ones.</summary>
    public SpecialTokens SpecialOf(TokenizerParts parts)
    {
        var ids = Roles.ToDictionary(role => role, role => Role(role, parts.Vocabulary), StringComparer.Ordinal);
        var special = ids.Values.OfType<int>().Concat(parts.Added.Where(token => token.Special).Select(token => token.Id));
        return new SpecialTokens
        {
            Bos = ids["bos"],
            Eos = ids["eos"],
            Pad = ids["pad"],
            Mask = ids["mask"],
            Unk = ids["unk"],
            Cls = ids["cls"],
            Sep = ids["sep"],
            All = new SortedSet<int>(special),
        };
    }

    // A folder without any configuration still names its tokens in the usual way.
    private int? Usual(string role, Vocabulary vocabulary)
    {
        if (config.ValueKind == JsonValueKind.Object || map.ValueKind == JsonValueKind.Object) return null;
        string[] names = role switch
        {
            "bos" => ["<s>", "<|begin_of_text|>"],
            "eos" => ["</s>", "<eos>", "<|endoftext|>", "<|end_of_text|>"],
            _ => [$"[{role.ToUpperInvariant()}]", $"<{role}>"],
        };
        return names.Select(name => vocabulary.Find(name)).FirstOrDefault(id => id is not null);
    }

    // The map tells more (lstrip), the configuration is newer.
    private JsonElement? Written(string role) =>
        map.Find(role + "_token") is { ValueKind: JsonValueKind.Object } full
            ? full
            : config.Find(role + "_token") ?? map.Find(role + "_token");

    private static string? Content(JsonElement token) =>
        token.ValueKind == JsonValueKind.String ? token.GetString() : token.Text("content");
}

using System.Text.Json;
using System.Text.RegularExpressions;

namespace LoRTA.Onnx.Runtime.Tokenizers;

/// <summary>The parts of a tokenizer.json, save truncation and padding, which Hugging Face's call overrides too.</summary>
internal static class TokenizerJson
{
    public static TokenizerParts Read(string path, JsonElement json, ConfiguredText configured)
    {
        var model = json.GetProperty("model");
        var added = json.Array("added_tokens")
            .Select(token => ReadAdded(token, token.GetProperty("content").GetString()!, token.GetProperty("id").GetInt32()))
            .ToList();
        var vocabulary = ReadVocabulary(model);
        foreach (var token in added) vocabulary.Add(token.Content, token.Id);
        return new TokenizerParts
        {
            Path = path,
            Vocabulary = vocabulary,
            Model = ReadModel(path, model, vocabulary),
            Added = added,
            Normalize = ReadNormalizer(path, json.Find("normalizer"), configured),
            Split = ReadSplitter(path, json.Find("pre_tokenizer"), configured),
            Decode = ReadDecoder(json.Find("decoder")),
            Template = ReadTemplate(path, json.Find("post_processor"), vocabulary),
            IsByteLevel = Flat(json.Find("pre_tokenizer"), "pretokenizers").Any(part => part.Text("type") == "ByteLevel"),
        };
    }

    private static Vocabulary ReadVocabulary(JsonElement model) => model.GetProperty("vocab") switch
    {
        { ValueKind: JsonValueKind.Object } pieces =>
            new(pieces.EnumerateObject().Select(piece => KeyValuePair.Create(piece.Name, piece.Value.GetInt32()))),
        var pieces => new(pieces.EnumerateArray().Select((piece, id) => KeyValuePair.Create(piece[0].GetString()!, id))),
    };

    /// <summary>An added token as tokenizer.json and tokenizer_config.json both write it.</summary>
    /// <remarks>What is not said is as in Hugging Face: tokens are normalized unless they are special.</remarks>
    public static AddedToken ReadAdded(JsonElement token, string content, int id, bool isSpecial = false) => new(content, id)
    {
        LeftStrip = token.Flag("lstrip") ?? false,
        RightStrip = token.Flag("rstrip") ?? false,
        SingleWord = token.Flag("single_word") ?? false,
        Normalized = token.Flag("normalized") ?? !(token.Flag("special") ?? isSpecial),
        Special = isSpecial || (token.Flag("special") ?? false),
    };

    private static ISubwordModel ReadModel(string path, JsonElement model, Vocabulary vocabulary)
    {
        var unknown = model.Text("unk_token") is { } piece ? vocabulary.Find(piece) : null;
        var type = model.Text("type") ?? (model.Find("merges") is null ? "WordPiece" : "BPE");
        if (type == "WordPiece")
            return new WordPieceModel(
                vocabulary, unknown ?? throw TokenizerErrors.Corrupt(path, "the WordPiece model has no unknown token"))
            {
                ContinuationPrefix = model.Text("continuing_subword_prefix") ?? "##",
                MaxWordLength = model.Find("max_input_chars_per_word")?.GetInt32() ?? 100,
            };
        if (type != "BPE") throw TokenizerErrors.Unsupported(path, $"a {type} model");
        if (model.Text("end_of_word_suffix") is { Length: > 0 } || model.Text("continuing_subword_prefix") is { Length: > 0 })
            throw TokenizerErrors.Unsupported(path, "BPE with a prefix or suffix of its own");
        return new BpeModel(vocabulary, model.Array("merges").Select(ReadMerge))
        {
            Unknown = unknown,
            FuseUnknown = model.Flag("fuse_unk") ?? false,
            ByteFallback = model.Flag("byte_fallback") ?? false,
            WholeWordsFirst = model.Flag("ignore_merges") ?? false,
        };
    }

    private static string ReadMerge(JsonElement merge) =>
        merge.ValueKind == JsonValueKind.String ? merge.GetString()! : $"{merge[0].GetString()} {merge[1].GetString()}";

    private static Func<string, string> ReadNormalizer(string path, JsonElement? json, ConfiguredText configured)
    {
        if (json?.Text("type") == "BertNormalizer") return configured.Of(ReadBert(json.Value)).Normalize;
        var steps = Flat(json, "normalizers").Select(part => ReadNormalization(path, part)).ToList();
        return text => steps.Aggregate(text, (current, step) => step(current));
    }

    private static Func<string, string> ReadNormalization(string path, JsonElement part)
    {
        switch (part.Text("type"))
        {
            case "Prepend":
                var mark = part.Text("prepend")!;
                return text => text.Length == 0 ? text : mark + text;
            case "Replace":
                var (pattern, content) = (ReadPattern(part), part.Text("content")!);
                return text => pattern.Replace(text, _ => content);
            case "BertNormalizer":
                return ReadBert(part).Normalize;
            case "Lowercase": return BertText.Lower;
            case "StripAccents": return BertText.WithoutAccents;
            case "NFC": return UnicodeForms.Compose;
            case "NFD": return UnicodeForms.Decompose;
            case var type: throw TokenizerErrors.Unsupported(path, $"the normalizer {type}");
        }
    }

    private static BertText ReadBert(JsonElement part) => new(
        part.Flag("clean_text") ?? true,
        part.Flag("handle_chinese_chars") ?? true,
        part.Flag("strip_accents"),
        part.Flag("lowercase") ?? true);

    private static Regex ReadPattern(JsonElement part)
    {
        var pattern = part.GetProperty("pattern");
        return TextSplits.Pattern(pattern.Text("Regex") ?? Regex.Escape(pattern.Text("String")!));
    }

    private static Splitter ReadSplitter(string path, JsonElement? json, ConfiguredText configured)
    {
        if (json?.Text("type") == "ByteLevel" && configured.PrefixSpace is { } prefixSpace)
            return ByteLevel(prefixSpace, json.Value.Flag("use_regex") ?? true);
        var steps = Flat(json, "pretokenizers").Select(part => ReadSplit(path, part)).ToList();
        return (text, atStart) => steps.Aggregate<Splitter, IEnumerable<string>>(
            [text], (words, step) => words.SelectMany((word, index) => step(word, atStart && index == 0)));
    }

    private static Splitter ReadSplit(string path, JsonElement part)
    {
        switch (part.Text("type"))
        {
            case "ByteLevel": return ByteLevel(part.Flag("add_prefix_space") ?? true, part.Flag("use_regex") ?? true);
            case "Digits":
                var digits = part.Flag("individual_digits") ?? false ? TextSplits.Behavior.Isolated : TextSplits.Behavior.Contiguous;
                return (text, _) => TextSplits.At(TextSplits.Digit, digits, invert: false, text);
            case "Split":
                var (pattern, invert) = (ReadPattern(part), part.Flag("invert") ?? false);
                var behavior = Enum.Parse<TextSplits.Behavior>(part.Text("behavior")!);
                return (text, _) => TextSplits.At(pattern, behavior, invert, text);
            case "Metaspace": return Metaspace(part);
            case "BertPreTokenizer": return (text, _) => BertText.Words(text);
            case "Whitespace": return (text, _) => TextSplits.At(TextSplits.WordsAndMarks, TextSplits.Behavior.Removed, invert: true, text);
            case "WhitespaceSplit":
                return (text, _) => TextSplits.At(TextSplits.WhiteSpace, TextSplits.Behavior.Removed, invert: false, text);
            case var type: throw TokenizerErrors.Unsupported(path, $"the pre-tokenizer {type}");
        }
    }

    /// <summary>Bytes as letters, after GPT-2's pattern where asked for.</summary>
    public static Splitter ByteLevel(bool prefixSpace, bool useRegex) => (text, _) =>
    {
        if (prefixSpace && !text.StartsWith(' ')) text = " " + text;
        var words = useRegex ? TextSplits.At(TextSplits.Gpt2, TextSplits.Behavior.Isolated, invert: false, text) : [text];
        return words.Select(ByteAlphabet.Write);
    };

    private static Splitter Metaspace(JsonElement part)
    {
        var mark = part.Text("replacement") ?? "▁";
        var scheme = part.Text("prepend_scheme") ?? (part.Flag("add_prefix_space") ?? true ? "always" : "never");
        var pattern = part.Flag("split") ?? true ? TextSplits.Pattern(Regex.Escape(mark)) : null;
        return (text, atStart) =>
        {
            text = text.Replace(" ", mark, StringComparison.Ordinal);
            var prepend = scheme == "always" || (scheme == "first" && atStart);
            if (prepend && !text.StartsWith(mark, StringComparison.Ordinal)) text = mark + text;
            return pattern is null ? [text] : TextSplits.At(pattern, TextSplits.Behavior.MergedWithNext, invert: false, text);
        };
    }

    private static Func<IReadOnlyList<string>, string> ReadDecoder(JsonElement? json)
    {
        var steps = Flat(json, "decoders").ToDictionary(part => part.Text("type")!, StringComparer.Ordinal);
        if (steps.ContainsKey("ByteLevel")) return ByteAlphabet.Read;
        if (steps.TryGetValue("WordPiece", out var wordPiece))
            return pieces => PieceDecoders.WordPiece(pieces, wordPiece.Text("prefix") ?? "##", wordPiece.Flag("cleanup") ?? true);
        if (steps.TryGetValue("Metaspace", out var metaspace))
            return pieces => PieceDecoders.Marked(pieces, metaspace.Text("prepend_scheme") != "never");
        if (steps.ContainsKey("ByteFallback")) return pieces => PieceDecoders.Marked(pieces, steps.ContainsKey("Strip"));
        return PieceDecoders.Spaced;
    }

    private static SequenceTemplate ReadTemplate(string path, JsonElement? json, Vocabulary vocabulary)
    {
        foreach (var part in Flat(json, "processors"))
        {
            switch (part.Text("type"))
            {
                case "TemplateProcessing":
                    return new(ReadParts(path, part, "single", vocabulary), ReadParts(path, part, "pair", vocabulary));
                case "RobertaProcessing" or "BertProcessing":
                    var (cls, sep) = (part.GetProperty("cls")[1].GetInt32(), part.GetProperty("sep")[1].GetInt32());
                    return part.Text("type") == "BertProcessing" ? Bert(cls, sep) : Roberta(cls, sep);
                case "ByteLevel": continue;
                case var type: throw TokenizerErrors.Unsupported(path, $"the post-processor {type}");
            }
        }
        return SequenceTemplate.Bare;
    }

    /// <summary><c>[CLS] A [SEP] B [SEP]</c></summary>
    public static SequenceTemplate Bert(int cls, int sep)
    {
        TemplatePart[] single = [TemplatePart.Token(cls), TemplatePart.First(), TemplatePart.Token(sep)];
        return new(single, [.. single, TemplatePart.Second(1), TemplatePart.Token(sep, 1)]);
    }

    /// <summary><c>&lt;s&gt; A &lt;/s&gt;&lt;/s&gt; B &lt;/s&gt;</c></summary>
    public static SequenceTemplate Roberta(int cls, int sep)
    {
        TemplatePart[] single = [TemplatePart.Token(cls), TemplatePart.First(), TemplatePart.Token(sep)];
        return new(single, [.. single, TemplatePart.Token(sep), TemplatePart.Second(), TemplatePart.Token(sep)]);
    }

    private static List<TemplatePart> ReadParts(string path, JsonElement processor, string name, Vocabulary vocabulary)
    {
        var parts = new List<TemplatePart>();
        foreach (var part in processor.Array(name))
        {
            if (part.Find("Sequence") is { } sequence)
            {
                var typeId = sequence.GetProperty("type_id").GetInt32();
                parts.Add(sequence.Text("id") == "A" ? TemplatePart.First(typeId) : TemplatePart.Second(typeId));
                continue;
            }
            var token = part.GetProperty("SpecialToken");
            var id = vocabulary.Find(token.Text("id"))
                ?? throw TokenizerErrors.Corrupt(path, $"the post-processor's token '{token.Text("id")}' is not in the vocabulary");
            parts.Add(TemplatePart.Token(id, token.GetProperty("type_id").GetInt32()));
        }
        return parts;
    }

    // A component, or the components of a Sequence.
    private static IEnumerable<JsonElement> Flat(JsonElement? json, string list) => json switch
    {
        null => [],
        { } part when part.Text("type") == "Sequence" => part.Array(list).SelectMany(inner => Flat(inner, list)),
        { } part => [part],
    };
}

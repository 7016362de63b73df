using System.Text;
using System.Text.Json;
using LoRTA.Onnx.GraphGen.Files;
using Microsoft.ML.Tokenizers;

namespace LoRTA.Onnx.Runtime.Tokenizers;

/// <summary>Finds out what kind of tokenizer a Hugging Face folder holds and reads it; tokenizer.json says most and goes first.</summary>
internal sealed class TokenizerFolder
{
    // Classes whose fast tokenizer places both ends by the flags of the configuration, whatever tokenizer.json says; and whether they
    // begin texts by default.
    private static readonly (string Name, bool BeginsTexts)[] ClassesWithEndFlags =
        [("Llama", true), ("CodeLlama", true), ("Gemma", true), ("Cohere", true), ("GPTNeoX", false), ("TokenizersBackend", false)];

    private readonly string _folder;
    private readonly JsonElement _config;
    private readonly ConfiguredTokens _tokens;

    private TokenizerFolder(string folder)
    {
        _folder = folder;
        _config = ParseIfThere("tokenizer_config.json");
        _tokens = new ConfiguredTokens(_config, ParseIfThere("special_tokens_map.json"), () => ParseIfThere("added_tokens.json"));
    }

    public static TokenizerParts Read(string folder)
    {
        if (!Directory.Exists(folder)) throw FileErrors.NotFound(folder);
        var files = new TokenizerFolder(folder);
        return JsonReading.Guard(files.At("tokenizer_config.json"), () =>
        {
            var parts = files.ReadParts();
            return parts with { Special = files._tokens.SpecialOf(parts) };
        });
    }

    private string Class => _config.Text("tokenizer_class") ?? string.Empty;

    private TokenizerParts ReadParts()
    {
        if (Has("tokenizer.json")) return ReadJson();
        if (Has("vocab.json") && Has("merges.txt")) return ReadByteLevel();
        if (Has("tokenizer.model")) return ReadSentencePiece();
        if (Has("vocab.txt")) return ReadLines();
        throw TokenizerErrors.NoTokenizer(_folder);
    }

    private TokenizerParts ReadJson()
    {
        var parts = JsonReading.Read(At("tokenizer.json"),
            json => TokenizerJson.Read(At("tokenizer.json"), JsonReading.Parse(json), new ConfiguredText(_config)));
        return parts with { Added = MergeInto(parts.Vocabulary, parts.Added), Template = EndsByFlags(parts.Vocabulary) ?? parts.Template };
    }

    private SequenceTemplate? EndsByFlags(Vocabulary vocabulary)
    {
        if (_config.Flag("add_bos_token") is null && _config.Flag("add_eos_token") is null) return null;
        return Array.FindIndex(ClassesWithEndFlags, type => Class.StartsWith(type.Name, StringComparison.Ordinal)) is >= 0 and var index
            ? WithEnds(vocabulary, ClassesWithEndFlags[index].BeginsTexts)
            : null;
    }

    // Tokens that only the configuration lists are known too, and of those in both files it describes the matching.
    private List<AddedToken> MergeInto(Vocabulary vocabulary, IReadOnlyList<AddedToken> inJson)
    {
        var merged = inJson.ToList();
        foreach (var token in _tokens.Listed().ToList())
        {
            var at = merged.FindIndex(known => known.Content == token.Content);
            if (at < 0)
            {
                merged.Add(token with { Id = vocabulary.Find(token.Content) ?? NewId(vocabulary, token) });
                continue;
            }
            var (known, isSpecial) = (merged[at], merged[at].Special || token.Special);
            var isNormalized = isSpecial ? known.Normalized : token.Normalized;
            merged[at] = token with { Id = known.Id, Special = isSpecial, Normalized = isNormalized };
        }
        foreach (var (token, content) in _tokens.Named())
            if (vocabulary.Find(content) is { } id && merged.TrueForAll(known => known.Id != id))
                merged.Add(TokenizerJson.ReadAdded(token, content, id, isSpecial: true));
        return merged;
    }

    private int NewId(Vocabulary vocabulary, AddedToken token)
    {
        if (vocabulary.Piece(token.Id) is { } other)
            throw TokenizerErrors.Corrupt(At("tokenizer_config.json"),
                $"the id {token.Id} of '{token.Content}' is that of '{other}' in tokenizer.json");
        vocabulary.Add(token.Content, token.Id);
        return token.Id;
    }

    private TokenizerParts ReadByteLevel()
    {
        var vocabulary = JsonReading.Read(At("vocab.json"), json =>
            new Vocabulary(JsonReading.Parse(json)
                .EnumerateObject()
                .Select(piece => KeyValuePair.Create(piece.Name, piece.Value.GetInt32()))));
        var added = _tokens.AddTo(vocabulary);
        var model = JsonReading.Read(At("merges.txt"), text =>
            new BpeModel(vocabulary, Lines(text).Where(line => line.Length > 0 && !line.StartsWith("#version", StringComparison.Ordinal)))
            {
                Unknown = _tokens.Role("unk", vocabulary),
            });
        return new TokenizerParts
        {
            Path = At("vocab.json"),
            Vocabulary = vocabulary,
            Model = model,
            Added = added,
            Split = TokenizerJson.ByteLevel(_config.Flag("add_prefix_space") ?? false, useRegex: true),
            Decode = ByteAlphabet.Read,
            Template = _tokens.Role("cls", vocabulary) is { } cls && _tokens.Role("sep", vocabulary) is { } sep
                ? TokenizerJson.Roberta(cls, sep)
                : WithEnds(vocabulary, bosByDefault: false),
            IsByteLevel = true,
        };
    }

    private TokenizerParts ReadSentencePiece()
    {
        if (Class.Length > 0
            && !Class.StartsWith("Llama", StringComparison.Ordinal)
            && !Class.StartsWith("CodeLlama", StringComparison.Ordinal))
            throw TokenizerErrors.Unsupported(At("tokenizer.model"), $"SentencePiece as {Class} uses it, without a tokenizer.json,");
        var pieces = JsonReading.Read(At("tokenizer.model"), model =>
        {
            using var stream = new MemoryStream(model);
            return SentencePieceTokenizer.Create(stream, addBeginningOfSentence: false, addEndOfSentence: false);
        });
        var vocabulary = new Vocabulary(pieces.Vocabulary);
        var added = _tokens.AddTo(vocabulary);
        return new TokenizerParts
        {
            Path = At("tokenizer.model"),
            Vocabulary = vocabulary,
            Model = new SentencePieceModel(pieces),
            Added = added,
            Normalize = pieces.Normalizer is { } normalizer ? normalizer.Normalize : text => text,
            Decode = words => PieceDecoders.Marked(words, dropFirstSpace: pieces.AddDummyPrefix),
            Template = WithEnds(vocabulary, bosByDefault: true),
        };
    }

    private TokenizerParts ReadLines()
    {
        var path = At("vocab.txt");
        var vocabulary = JsonReading.Read(path, text => new Vocabulary(Lines(text).Select((line, id) => KeyValuePair.Create(line, id))));
        return vocabulary.Find("<cls>") is { } cls && vocabulary.Find("<eos>") is { } eos
            ? ReadAlphabet(path, vocabulary, TokenizerJson.Bert(cls, eos))
            : ReadWordPiece(path, vocabulary);
    }

    private TokenizerParts ReadAlphabet(string path, Vocabulary vocabulary, SequenceTemplate template)
    {
        _tokens.AddTo(vocabulary);
        return new TokenizerParts
        {
            Path = path,
            Vocabulary = vocabulary,
            Model = new AlphabetModel(vocabulary.Find("<unk>") ?? throw TokenizerErrors.Corrupt(path, "there is no <unk>")),
            Added = [.. vocabulary.Pieces.Select(piece => new AddedToken(piece.Key, piece.Value))],
            Decode = PieceDecoders.Spaced,
            Template = template with { Pair = [.. template.Pair.Select(part => part with { TypeId = 0 })] },
        };
    }

    private TokenizerParts ReadWordPiece(string path, Vocabulary vocabulary)
    {
        var added = _tokens.AddTo(vocabulary);
        int Need(string role, string usual) =>
            _tokens.Role(role, vocabulary) ?? vocabulary.Find(usual) ?? throw TokenizerErrors.Corrupt(path, $"there is no {usual}");
        var text = new BertText(
            SplitChinese: _config.Flag("tokenize_chinese_chars") ?? true,
            StripAccents: _config.Flag("strip_accents"),
            LowerCase: _config.Flag("do_lower_case") ?? true);
        return new TokenizerParts
        {
            Path = path,
            Vocabulary = vocabulary,
            Model = new WordPieceModel(vocabulary, Need("unk", "[UNK]")),
            Added = added,
            Normalize = text.Normalize,
            Split = (stretch, _) => BertText.Words(stretch),
            Decode = pieces => PieceDecoders.WordPiece(pieces, "##", cleanUp: true),
            Template = TokenizerJson.Bert(Need("cls", "[CLS]"), Need("sep", "[SEP]")),
        };
    }

    // Llama's and GPT-2's ends are flags of the configuration.
    private SequenceTemplate WithEnds(Vocabulary vocabulary, bool bosByDefault)
    {
        TemplatePart[] Ends(string role, bool wanted, int typeId) =>
            wanted && _tokens.Role(role, vocabulary) is { } id ? [TemplatePart.Token(id, typeId)] : [];
        var (bos, eos) = (_config.Flag("add_bos_token") ?? bosByDefault, _config.Flag("add_eos_token") ?? false);
        TemplatePart[] single = [.. Ends("bos", bos, 0), TemplatePart.First(), .. Ends("eos", eos, 0)];
        return new(single, [.. single, .. Ends("bos", bos, 1), TemplatePart.Second(1), .. Ends("eos", eos, 1)]);
    }

    private JsonElement ParseIfThere(string name) => Has(name) ? JsonReading.Read(At(name), JsonReading.Parse) : default;

    private static string[] Lines(byte[] text) =>
        PlainText.UnifyLineEnds(Encoding.UTF8.GetString(PlainText.WithoutMark(text))).TrimEnd('\n').Split('\n');

    private bool Has(string name) => RealPath.HasFile(At(name));

    private string At(string name) => Path.Combine(_folder, name);
}

using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Runtime.Tokenizers;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Data.Readers;
using LoRTA.Onnx.Training.Recipes;
using LoRTA.Onnx.Training.Recipes.Files;
using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training.Tests.Tasks;

internal sealed class TrainingTaskTests
{
    private static readonly DataOptions Options = new() { Train = "unused" };

    [Test]
    public void Integer_labels_are_class_indices()
    {
        var sample = Encode("classification", "minilm", Options, ("text", "hello"), ("label", "1"))[0];

        Assert.That((sample.Ids, sample.Label), Is.EqualTo((new[] { 101, 7592, 102 }, (float?)1)).UsingPropertiesComparer());
    }

    [Test]
    public void Text_labels_are_looked_up_in_the_list()
    {
        var options = Options with { Labels = ["negative", "positive"] };

        Assert.That(Encode("classification", "minilm", options, ("text", "hello"), ("label", "positive"))[0].Label, Is.EqualTo(1));
    }

    [TestCase("classification", "good", "negative,positive", "one of negative, positive, or an index from 0 to 1")]
    [TestCase("classification", "2", "negative,positive", "one of negative, positive, or an index from 0 to 1")]
    [TestCase("classification", "-1", "", "an index from 0")]
    [TestCase("regression", "much", "", "a number")]
    [TestCase("regression", "NaN", "", "a number")]
    public void A_label_that_cannot_be_read_is_shown(string task, string label, string names, string expected)
    {
        var options = Options with { Labels = names.Split(',', StringSplitOptions.RemoveEmptyEntries) };
        var tokenizer = Tokenizer("minilm");

        Assert.That(() => Encode(task, tokenizer, options, ("text", "hello"), ("label", label)),
            Throws.TypeOf<LortaException>().With.Message.EqualTo($"rows, line 1: the label is '{label}', expected {expected}."));
    }

    [Test]
    public void A_class_the_model_lacks_is_refused()
    {
        var tokenizer = Tokenizer("minilm");

        Assert.That(() => Encoder("classification", Options, tokenizer, classes: 2).Encode([Row(("text", "hello"), ("label", "2"))]),
            Throws.TypeOf<LortaException>().With.Message.Contains("an index from 0 to 1"));
    }

    [Test]
    public void Pairs_carry_token_types_and_number_labels()
    {
        var options = Options with { Columns = new() { Text = "a", Pair = "b", Label = "score" } };

        var sample = Encode("regression", "minilm", options, ("a", "hello"), ("b", "world"), ("score", "3.250"))[0];

        using (Assert.EnterMultipleScope())
        {
            Assert.That(sample.TypeIds, Is.EqualTo([0, 0, 0, 1, 1]));
            Assert.That(sample.Label, Is.EqualTo(3.25f));
        }
    }

    [Test]
    public void Without_a_label_column_samples_have_no_labels() =>
        Assert.That(Encode("classification", "minilm", Options with { Columns = new() { Label = null! } }, ("text", "hello"))[0].Label, Is.Null);

    [Test]
    public void Each_residue_has_its_label_and_special_tokens_have_none()
    {
        var options = Options with { Labels = ["H", "E", "C"], Columns = new() { Mask = "mask" } };

        var sample = Encode("token-classification", "esm-mini", options, ("text", "MKTJJ"), ("label", "HEECH"), ("mask", "10111"))[0];

        using (Assert.EnterMultipleScope())
        {
            Assert.That(sample.Ids, Is.EqualTo([0, 20, 15, 11, 3, 3, 2]));
            Assert.That(sample.TokenLabels, Is.EqualTo([-100, 0, -100, 1, 2, 0, -100]));
        }
    }

    [Test]
    public void Labels_are_cut_with_their_tokens()
    {
        var options = Options with { Labels = ["H", "E", "C"], MaxLength = 4 };

        var sample = Encode("token-classification", "esm-mini", options, ("text", "MKTA"), ("label", "HEEC"))[0];

        Assert.That(sample.TokenLabels, Is.EqualTo([-100, 0, 1, -100]));
    }

    [Test]
    public void The_first_token_of_a_word_carries_its_label()
    {
        var options = Options with { Labels = ["O", "B-PER"] };

        var sample = Encode("token-classification", "roberta-mini", options, ("text", "hello world"), ("label", "B-PER O"))[0];

        using (Assert.EnterMultipleScope())
        {
            Assert.That(sample.Ids, Is.EqualTo([0, 75, 522, 82, 1056, 2]));
            Assert.That(sample.TokenLabels, Is.EqualTo([-100, 1, -100, -100, 0, -100]));
        }
    }

    [Test]
    public void Labels_of_another_length_are_refused() =>
        Assert.That(() => Encode("token-classification", "esm-mini", Options, ("text", "MKT"), ("label", "01")),
            Throws.TypeOf<LortaException>().With.Message.EqualTo("rows, line 1: 2 labels for 3 letters or words."));

    [Test]
    public void Secondary_structure_reads_whole()
    {
        var options = Options with
        {
            Labels = ["H", "E", "C"],
            MaxLength = 512,
            Columns = new() { Text = "sequence", Label = "labels", Mask = "mask" },
        };
        var rows = RowReader.Read(Fixtures.Path("data", "real", "protein-ss3", "train.tsv"));

        var samples = Encoder("token-classification", options, Tokenizer("esm-mini")).Encode(rows).Samples;

        Assert.That(samples.Sum(sample => sample.TokenLabels!.Count(label => label >= 0)), Is.EqualTo(rows.Sum(row => row["mask"].Count(letter => letter == '1'))));
    }

    [Test]
    public void Masks_hide_about_the_share_asked_for_and_never_special_tokens()
    {
        var options = Options with { MaxLength = 4096 };
        var task = Encoder("masked-lm", options, Tokenizer("esm-mini"));
        var sample = task.Encode([Row(("text", string.Concat(Enumerable.Repeat("LAGVSERTID", 400))))]).Samples.Single();

        var drawn = task.Draw(sample, "0", 0);

        var hidden = Enumerable.Range(0, sample.Ids.Length).Where(i => drawn.TokenLabels![i] != Sample.Ignored).ToList();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(hidden, Has.Count.InRange(510, 690).And.No.Member(0).And.No.Member(4001));
            Assert.That(hidden.Select(i => drawn.TokenLabels![i]), Is.EqualTo(hidden.Select(i => (long)sample.Ids[i])));
            Assert.That(hidden.Count(i => drawn.Ids[i] == 32) / (double)hidden.Count, Is.InRange(0.75, 0.85));
            Assert.That(hidden.Count(i => drawn.Ids[i] == sample.Ids[i]) / (double)hidden.Count, Is.InRange(0.06, 0.16));
            Assert.That(Enumerable.Range(0, sample.Ids.Length).Except(hidden).All(i => drawn.Ids[i] == sample.Ids[i]), Is.True);
        }
    }

    [Test]
    public void Masks_depend_on_seed_pass_and_sample_only()
    {
        var rows = new[] { Row(("text", "LAGVSERTIDLAGVSERTIDLAGVSERTID")) };
        string Draw(long seed, string pass, int index)
        {
            var task = Encoder("masked-lm", Options, Tokenizer("esm-mini"), seed);
            return string.Join(' ', task.Draw(task.Encode(rows).Samples.Single(), pass, index).Ids);
        }

        var again = Draw(0, "0", 0);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Draw(0, "0", 0), Is.EqualTo(again));
            Assert.That(new[] { Draw(0, "0", 0), Draw(1, "0", 0), Draw(0, "1", 0), Draw(0, "0", 1) }, Is.Unique);
        }
    }

    [Test]
    public void Every_sample_has_something_to_guess()
    {
        var task = Encoder("masked-lm", Options, Tokenizer("esm-mini"));
        var sample = task.Encode([Row(("text", "M"))]).Samples.Single();

        Assert.That(task.Draw(sample, "0", 0).TokenLabels, Is.EqualTo([-100, 20, -100]));
    }

    [Test]
    public void Masked_modelling_needs_a_mask_token() =>
        Assert.That(
            () => Encoder("masked-lm", Options, Tokenizer("llama-mini/hf")),
            Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT504"));

    [Test]
    public void Entries_stand_between_bos_and_eos()
    {
        var sample = Encode("causal-lm", "llama-mini/hf", Options, ("text", "the"))[0];

        Assert.That((sample.Ids, sample.TokenLabels), Is.EqualTo((new[] { 1, 261, 2 }, new long[] { 1, 261, 2 })).UsingPropertiesComparer());
    }

    [Test]
    public void Packing_cuts_one_stream_and_drops_the_tail()
    {
        var options = Options with { Packing = true, MaxLength = 4 };
        var rows = new[] { Row(("text", "the the")), Row(("text", "the")), Row(("text", "the")) };

        var samples = Encoder("causal-lm", options, Tokenizer("llama-mini/hf")).Encode(rows).Samples;

        Assert.That(samples.Select(sample => string.Join(' ', sample.Ids)), Is.EqualTo(["1 261 261 2", "1 261 2 1"]));
    }

    [Test]
    public void A_prompt_is_given_and_its_completion_learnt()
    {
        var options = Options with { Template = new("{q} {{a}}", "{a}") };

        var sample = Encode("causal-lm", "llama-mini/hf", options, ("q", "the"), ("a", "the"))[0];

        var prompt = sample.Ids.Length - 2;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Tokenizer("llama-mini/hf").Decode(sample.Ids[..prompt]), Is.EqualTo("the {a}"));
            Assert.That(sample.TokenLabels, Is.EqualTo(Enumerable.Repeat(-100L, prompt).Concat([261L, 2L])));
        }
    }

    [Test]
    public void A_prompt_that_fills_the_whole_length_leaves_nothing_to_learn()
    {
        var options = Options with { MaxLength = 3, Template = new("the the", "the") };

        Assert.That(Encode("causal-lm", "llama-mini/hf", options, ("q", "the")), Is.Empty);
    }

    [TestCase("{text", "has a single '{'", "LRT511")]
    [TestCase("text}", "has a single '}'", "LRT511")]
    [TestCase("{Text}", "no column 'Text'; there are text", "LRT505")]
    public void A_template_with_a_wrong_hole_is_refused(string template, string what, string code) =>
        Assert.That(() => Encode("causal-lm", "llama-mini/hf", Options with { Template = new(string.Empty, template) }, ("text", "x")),
            Throws.TypeOf<LortaException>().With.Property("Code").EqualTo(code).And.Message.Contains(what));

    [Test]
    public void An_unknown_task_lists_the_known() =>
        Assert.That(() => LortaCatalog.Default.LossOf("qa"), Throws.TypeOf<LortaException>().With.Property("Hint").Contains("causal-lm, masked-lm, classification"));

    [Test]
    public void Every_loss_has_a_task_in_the_same_order() =>
        Assert.That(TrainingTasks.All.Select(task => task.Name), Is.EqualTo(TaskLosses.All.Select(loss => loss.Name)));

    [Test]
    public void Every_key_of_a_task_is_one_that_recipes_are_checked_for() =>
        Assert.That(TrainingTasks.All.SelectMany(task => task.Keys).Distinct(), Is.EquivalentTo(RecipeRules.TaskKeys.Select(key => key.Key)));

    [TestCase("loss", ExpectedResult = false)]
    [TestCase("perplexity", ExpectedResult = false)]
    [TestCase("mse", ExpectedResult = false)]
    [TestCase("f1", ExpectedResult = true)]
    [TestCase("tokenAccuracy", ExpectedResult = true)]
    public bool More_is_better_of_all_but_errors(string metric) => TrainingTasks.All.Any(task => task.IsHigherBetter(metric));

    private static List<Sample> Encode(string task, string model, DataOptions options, params (string Column, string Text)[] cells) =>
        Encode(task, Tokenizer(model), options, cells);

    private static List<Sample> Encode(string task, TextTokenizer tokenizer, DataOptions options, params (string Column, string Text)[] cells) =>
        [.. Encoder(task, options, tokenizer).Encode([Row(cells)]).Samples];

    private static IRowEncoder Encoder(string task, DataOptions options, TextTokenizer tokenizer, long seed = 0, int? classes = null) =>
        TrainingTasks.Find(task)!.Encoder(
            new DataContext(new Recipe { Model = "unused", Task = task, Data = options, Seed = seed }, tokenizer) { Classes = classes });

    private static DataRow Row(params (string Column, string Text)[] cells) =>
        new("rows", 1, new(cells.Select(cell => KeyValuePair.Create(cell.Column, cell.Text)), StringComparer.Ordinal));

    private static TextTokenizer Tokenizer(string model) => TextTokenizer.Load(Fixtures.Path(["models", .. model.Split('/')]));
}

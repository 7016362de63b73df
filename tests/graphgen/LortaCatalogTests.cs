using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Autodiff;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests;

/// <summary>What there is to choose from is a value that is passed on.</summary>
internal sealed class LortaCatalogTests
{
    private static readonly Architecture Sizes = new(Hidden: 8, Heads: 2, KvHeads: 2, HeadWidth: 4, Layers: 2);

    [Test]
    public void A_family_is_in_the_catalog_that_it_was_added_to_and_in_no_other()
    {
        var options = new AdapterOptions { Method = "gain" };

        var plan = AdapterPlan.Of(Sizes, options, LortaCatalog.Default.With(Gain.Entry));

        Assert.That(plan.Family, Is.TypeOf<Gain>());
        Assert.That(() => AdapterPlan.Of(Sizes, options), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT301"));
    }

    [Test]
    public void A_second_family_of_a_name_is_refused() =>
        Assert.That(
            () => LortaCatalog.Default.With(Gain.Entry with { Method = "lora" }),
            Throws.ArgumentException.With.Message.Contains("'lora'"));

    [Test]
    public void A_loss_is_in_the_catalog_that_it_was_added_to_and_in_no_other()
    {
        var loss = Loss.Of("mine", model => new(model.Output(name: null, rank: 2).Total()));

        Assert.That(LortaCatalog.Default.With(loss).LossOf("mine"), Is.SameAs(loss));
        Assert.That(() => LortaCatalog.Default.LossOf("mine"), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT411"));
    }

    [Test]
    public void A_second_loss_of_a_name_is_refused() =>
        Assert.That(
            () => LortaCatalog.Default.With(Loss.Of("regression", _ => default)),
            Throws.ArgumentException.With.Message.Contains("'regression'"));

    [Test]
    public void A_rule_is_replaced_where_that_is_asked_for_and_refused_elsewhere()
    {
        var rule = new GradientRule("Mish", call => [call.G]);

        var catalog = LortaCatalog.Default.With(rule, replace: true);

        Assert.That(catalog.RuleOf("Mish"), Is.SameAs(rule));
        Assert.That(catalog.Rules, Has.Count.EqualTo(LortaCatalog.Default.Rules.Count));
        Assert.That(LortaCatalog.Default.RuleOf("Mish"), Is.Not.SameAs(rule));
        Assert.That(() => catalog.With(rule), Throws.ArgumentException.With.Message.Contains("'Mish'"));
    }

    [Test]
    public void A_rule_that_is_given_by_value_derives_a_gradient_that_is_refused_without_it()
    {
        var (model, tape) = Ort.New();
        var x = tape[model.Graph.AddInput("x", ElementType.Float, [2, 2])];
        var loss = x.Op("Det");

        var gradient = Gradients.Of(tape, loss.Value, [x.Value], LortaCatalog.Default.With(new GradientRule("Det", call => [call.X * call.G]), replace: true))[0];

        Assert.That(gradient.Shape, Is.EqualTo(x.Shape));
        Assert.That(() => Gradients.Of(tape, loss.Value, [x.Value], LortaCatalog.Default), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT401"));
    }

    [Test]
    public void What_was_added_comes_last() =>
        Assert.That(LortaCatalog.Default.With(Gain.Entry).Families, Is.EqualTo(LortaCatalog.Default.Families.Append(Gain.Entry)));
}

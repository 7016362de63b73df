using System.Globalization;

namespace LoRTA.Onnx.GraphGen.Adapters.Families;

/// <summary>How AdaLoRA is asked to allocate ranks.</summary>
/// <param name="TargetRank">The rank that a matrix has on average at the end.</param>
/// <param name="Start">Steps (tinit) before the budget begins to shrink.</param>
/// <param name="Settling">The last steps (tfinal), in which the ranks stay as they are.</param>
/// <param name="Interval">Steps (ΔT) from one mask to the next.</param>
/// <param name="Beta1">Smoothing β₁ of sensitivities.</param>
/// <param name="Beta2">Smoothing β₂ of uncertainties.</param>
internal sealed record RankAllocation(int TargetRank, int Start, int Settling, int Interval, double Beta1, double Beta2)
{
    private const double Smoothing = 0.85;

    private static readonly FamilyOption Target = FamilyOption.Integer(
        "target", "The rank that a matrix has on average at the end; 0: all ranks stay as they are.", byDefault: 0, least: 0);

    private static readonly FamilyOption First =
        FamilyOption.Integer("tinit", "Steps before ranks begin to shrink.", byDefault: 0, least: 0);

    private static readonly FamilyOption Last =
        FamilyOption.Integer("tfinal", "Last steps, in which ranks stay as they are.", byDefault: 0, least: 0);

    private static readonly FamilyOption Every = FamilyOption.Integer("deltaT", "Steps from one allocation to the next.", byDefault: 1);

    private static readonly FamilyOption BetaOfSensitivity = Beta("beta1", "Smoothing of a number's sensitivity |w·g|.");

    private static readonly FamilyOption BetaOfUncertainty = Beta("beta2", "Smoothing of the uncertainty of sensitivities.");

    /// <summary>The options of the allocator.</summary>
    public static IReadOnlyList<FamilyOption> Options { get; } = [Target, First, Last, Every, BetaOfSensitivity, BetaOfUncertainty];

    /// <summary>What the options ask for; null = nothing is allocated.</summary>
    /// <exception cref="LortaException">LRT319: options that contradict each other.</exception>
    public static RankAllocation? Of(AdapterOptions options)
    {
        var target = options.IntegerOf(Target);
        if (target == 0)
        {
            var idle = Options.FirstOrDefault(option => option != Target && options.Options.ContainsKey(option.Name));
            return idle is null ? null : throw Refusal(Target, $"must be given where {idle.Name} is");
        }
        if (target >= options.Rank) throw Refusal(Target, $"must be < the rank ({options.Rank}) that a matrix starts with, was {target}");
        return new(target, options.IntegerOf(First), options.IntegerOf(Last), options.IntegerOf(Every),
            options.NumberOf(BetaOfSensitivity), options.NumberOf(BetaOfUncertainty));
    }

    /// <summary>The allocation in a run.</summary>
    /// <exception cref="LortaException">LRT319: sites or a run that leave nothing to allocate.</exception>
    public RankSchedule Over(IReadOnlyList<AdapterSite> sites, long totalSteps)
    {
        var (from, to) = (sites.Sum(site => (long)site.Rank), (long)TargetRank * sites.Count);
        if (to >= from) throw Refusal(Target, $"must be < the mean rank of the sites ({(double)from / sites.Count}), was {TargetRank}");
        if (Start >= totalSteps - Settling)
            throw Refusal(Last, $"tinit + tfinal must be < the {totalSteps} steps of the run, was {Start} + {Settling}");
        return new RankSchedule(this, (from, to), totalSteps - Settling);
    }

    private static FamilyOption Beta(string name, string description) => FamilyOption.Number(name, description, Smoothing) with
    {
        Check = value => double.TryParse(value, CultureInfo.InvariantCulture, out var number) && number is > 0 and < 1
            ? null
            : "must be a number > 0 and < 1",
    };

    private static LortaException Refusal(FamilyOption option, FormattableString text) =>
        AdapterErrors.InvalidOptions([($"options.{option.Name}", FormattableString.Invariant(text))]);
}

/// <summary>The course of the budget, the number of triplets that a network may have.</summary>
/// <param name="Allocation">What was asked for.</param>
/// <param name="Budgets">The first and the last.</param>
/// <param name="End">The step of the last mask; from there on it is kept.</param>
internal sealed record RankSchedule(RankAllocation Allocation, (long From, long To) Budgets, long End)
{
    /// <summary>The budget after a step: it falls with the third power of the steps that are left.</summary>
    public long At(long step)
    {
        if (step <= Allocation.Start) return Budgets.From;
        if (step > End) return Budgets.To;
        var left = 1 - ((step - Allocation.Start) / (double)(End - Allocation.Start));
        return (long)(Budgets.To + ((Budgets.From - Budgets.To) * Math.Pow(left, 3)));
    }

    /// <summary>Whether a step chooses the triplets anew.</summary>
    public bool Chooses(long step) =>
        step == End || (step > Allocation.Start && step < End && step % Allocation.Interval == 0);
}

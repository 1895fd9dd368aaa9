namespace ClipOod.Notebook.Tests;

/// <summary>The embedded world as it is shipped: its roles, and that it can do what its manifest says.</summary>
public sealed class PictogramWorldTests
{
    private static readonly Lazy<World> _world = new(() => World.Open(PictogramWorld.WorldName, null, 0));

    // Half precision and another order of sums move a few of some thousand answers.
    private const double AccuracyTolerance = 0.01;

    [Fact]
    public void Roles_HaveTheSetsOfTheSeminar()
    {
        World world = _world.Value;
        Assert.Equal(Clip.ClassNames.Cifar10.Order(StringComparer.Ordinal), world.A.Classes);
        Assert.InRange(world.B.NumClasses, 24, 100);
        Assert.InRange(world.C.NumClasses, 48, 100);
        Assert.Equal(world.A.NumClasses + world.B.NumClasses + world.C.NumClasses, world.Large.NumClasses);
        Assert.Equal(["near", "noise", "textures"], world.Ood.Keys);
        Assert.All(world.Datasets.Values, set => Assert.Equal(2, set.TextByPrompt.Count));
        Assert.All(world.Ood.Values.Append(world.A.Test), set => Assert.Equal(set.Count, set.Images!.Count));
    }

    [Fact]
    public void OodSets_ShareNoClassWithTheIdSets_ButTheDuckThatIsABird() => Assert.Equal(
        [("bird", "duck")], ClassOverlap.Find(_world.Value.Large.Classes, _world.Value.Ood.Values.SelectMany(set => set.Classes)).Select(pair => (pair.Id, pair.Ood)));

    [Fact]
    public void Accuracy_IsTheManifests_AndThatOfSetALiesBetween85And97Percent()
    {
        PictogramManifest manifest = _world.Value.Pictograms.Manifest;
        PictogramManifest measured = PictogramModelMaker.Measure(manifest, _world.Value);
        Assert.Equal(manifest.Accuracy.Keys, measured.Accuracy.Keys);
        Assert.All(manifest.Accuracy, entry => Assert.Equal(entry.Value, measured.Accuracy[entry.Key], AccuracyTolerance));
        Assert.All(manifest.Auroc, entry => Assert.Equal(entry.Value, measured.Auroc[entry.Key], AccuracyTolerance));
        Assert.InRange(measured.Accuracy["A one prompt"], 0.85, 0.97);
    }

    [Fact]
    public void Words_AreThoseThatTheModelWasTrainedOn()
    {
        World world = _world.Value;
        IReadOnlyList<string> words = world.Text("words").Classes;
        Assert.All(world.Large.Classes, name => Assert.Contains(name, words));
        Assert.All(world.Pictograms.Manifest.HeldOut, name => Assert.DoesNotContain(name, words));
    }

    [Fact]
    public void Sample_UnderAShift_ShowsTheSameClasses_LessWell()
    {
        World world = _world.Value;
        FeatureSet clean = world.Pictograms.Sample("A", "shift test", 8), noisy = world.Pictograms.Sample("A", "shift test", 8, new Shift(ShiftKind.Noise, 5));
        Assert.Equal(clean.Labels, noisy.Labels);
        double Accuracy(FeatureSet set) => Predictions.FromLogits(Similarity.Cosines(set.Features, world.A.Text.Features), set.Labels).Accuracy;
        Assert.InRange(Accuracy(noisy), 0, Accuracy(clean) - 0.1);
    }

    [Fact]
    public void ConceptsOf_AnUnknownSet_ListsTheSets() => Assert.Contains(
        "Sets: A, B, C, near, textures", Assert.Throws<KeyNotFoundException>(() => _world.Value.Pictograms.ConceptsOf("D")).Message, StringComparison.Ordinal);
}

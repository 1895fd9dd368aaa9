using System.Globalization;

namespace ClipOod.Notebook;

/// <summary>
/// The embedded world "pictograms": pictures drawn by code from path data, and a tiny CLIP trained on such pictures by this project.
/// A = ten animals and vehicles, B = foods, C = everyday objects, Large = all of these; OOD sets near, textures and noise.
/// </summary>
internal static class PictogramWorld
{
    /// <summary>The name of this world.</summary>
    public const string WorldName = "pictograms";

    internal const string NoiseSet = "noise";

    // Pictures per class: train, validation, test.
    private static readonly (string Role, int Train, int Validation, int Test)[] _id = [("A", 100, 40, 80), ("B", 30, 15, 25), ("C", 20, 10, 15)];
    private static readonly (string Set, int Validation, int Test)[] _ood = [("near", 15, 25), (NoiseSet, 50, 100), ("textures", 20, 30)];

    internal static string NameOf(string set, int classes) => string.Create(CultureInfo.InvariantCulture, $"{set switch
    {
        "A" => "Things",
        "B" => "Foods",
        "C" => "Objects",
        "near" => "Near",
        "textures" => "Patterns",
        NoiseSet => "Noise",
        _ => set,
    }}-{classes}");

    internal static World Open(int seed)
    {
        string root = LocalData.FindRepository();
        PictogramFolder folder = PictogramFolder.Open(Path.Combine(root, "data", WorldName));
        return Open(new PictogramStudio(folder, Path.Combine(root, "artifacts", "cache")), seed);
    }

    internal static World Open(PictogramStudio pictograms, int seed)
    {
        string Split(string name) => seed == 0 ? name : string.Create(CultureInfo.InvariantCulture, $"{name} {seed}");
        FeatureSet Sample(string set, string split, int perClass) => pictograms.Sample(set, Split(split), perClass).WithSplit(split);
        (string Role, FeatureSet Train, FeatureSet Validation, FeatureSet Test, string Note)[] parts = [.. _id.Select(part => (
            part.Role,
            Sample(part.Role, "train", part.Train),
            Sample(part.Role, "validation", part.Validation),
            Sample(part.Role, "test", part.Test),
            string.Create(CultureInfo.InvariantCulture, $"{part.Train} train, {part.Validation} validation and {part.Test} test pictures per class, drawn in random styles.")))];
        Dataset[] datasets =
        [
            .. parts.Select(part => ToDataset(pictograms, part.Role, part.Train, part.Validation, part.Test, part.Note)),
            ToDataset(
                pictograms,
                "Large",
                Union("train", parts.Select(part => part.Train)),
                Union("validation", parts.Select(part => part.Validation)),
                Union("test", parts.Select(part => part.Test)),
                "All classes of A, B and C in one data set; pictures per class differ as theirs do."),
        ];
        FeatureSet Union(string split, IEnumerable<FeatureSet> sets) => FeatureSet.Union(NameOf("All", parts.Sum(part => part.Test.NumClasses)), split, [.. sets]);
        PictogramManifest manifest = pictograms.Folder.Manifest;
        Concept[] known = [.. pictograms.Concepts.Values.Where(concept => !concept.HeldOut)];
        string[] words = [.. known.SelectMany(concept => concept.Synonyms.Prepend(concept.Name)).Order(StringComparer.Ordinal)];
        return new World(
            WorldName,
            string.Create(CultureInfo.InvariantCulture, $"Pictures of {PictogramArtist.Side} x {PictogramArtist.Side} pixels drawn by code, not photographs, and a tiny CLIP that this project trained from scratch on {manifest.Pictures:N0} such pictures and their captions. {pictograms.Concepts.Count - known.Length} of its {pictograms.Concepts.Count} concepts were held out of that training. Methods and code are those of real CLIP; the numbers are this world's own.{pictograms.Folder.ConceptsNote}"),
            string.Create(CultureInfo.InvariantCulture, $"a tiny CLIP (ViT, {manifest.Parameters:N0} parameters, {manifest.WeightsSha256[..8]})"),
            datasets,
            _ood.Select(ood => (ood.Set, Sample(ood.Set, "validation", ood.Validation), Sample(ood.Set, "test", ood.Test))),
            [("words", pictograms.EncodeClasses(words))],
            Math.Exp(pictograms.Model.LogitScale.Value.ToDouble()),
            pictograms,
            seed,
            judgesClaims: false);
    }

    private static Dataset ToDataset(PictogramStudio pictograms, string role, FeatureSet train, FeatureSet validation, FeatureSet test, string note) => new(
        role,
        train,
        validation,
        test,
        [.. Enumerable.Range(0, test.NumClasses)],
        [pictograms.EncodeClasses(test.Classes), pictograms.EncodeClasses(test.Classes, CaptionWriter.Templates)],
        note);
}

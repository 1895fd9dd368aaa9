using ClipOod.Notebook;

namespace ClipOod.Runner.Commands;

/// <summary>Makes a world's feature sets of what was published, when it was fetched.</summary>
internal static class PublishedFeatures
{
    /// <summary>Makes them, and says what they are.</summary>
    public static IEnumerable<string> MakeWorld(SourceEntry entry)
    {
        string folder = LocalData.Features(entry.Name);
        SourceEntry cifar = SourceCatalog.Find("cifar10")!;
        IReadOnlyList<string> packs = ClipFeaturePacks.Make(entry.Folder, folder, cifar.PathOf(cifar.Files[0]));
        yield return $"Made {packs.Count} feature sets in {folder}. clipood run shows the world {entry.Name} beside the others.";
        if (!File.Exists(cifar.PathOf(cifar.Files[0])))
        {
            yield return $"Pictures of CIFAR-10 are left out: clipood fetch {cifar.Name} {entry.Name} adds them.";
        }
    }
}

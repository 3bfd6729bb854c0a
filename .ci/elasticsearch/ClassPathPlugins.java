// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package org.elasticsearch.plugins;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;
import org.elasticsearch.Version;
import org.elasticsearch.action.admin.cluster.node.info.PluginsAndModules;
import org.elasticsearch.env.Environment;

/** Plugins from the class path instead of the folders modules/ and plugins/. */
public class ClassPathPlugins extends PluginsService {
    private final List<LoadedPlugin> loaded;

    public ClassPathPlugins(Environment env, List<Class<? extends Plugin>> classes) {
        super(env.settings(), env.configDir(), PluginsLoader.createPluginsLoader(Set.of(), Set.of(), Map.of(), false));
        List<String> names = classes.stream().map(Class::getName).toList();
        List<LoadedPlugin> list = new ArrayList<>();
        for (Class<? extends Plugin> c : classes) {
            list.add(new LoadedPlugin(new PluginDescriptor(c.getName(), "class path", "NA", Version.CURRENT.toString(),
                Integer.toString(Runtime.version().feature()), c.getName(), null, names, false, false, false, false),
                loadPlugin(c, env.settings(), env.configDir()), c.getClassLoader()));
        }
        loadExtensions(list);
        loaded = List.copyOf(list);
    }

    @Override
    protected List<LoadedPlugin> plugins() {
        return loaded == null ? super.plugins() : loaded;
    }

    /** One class loader serves all plugins: each service is looked up once, not once a plugin. */
    @Override
    public <T> List<? extends T> loadServiceProviders(Class<T> service) {
        return ServiceLoader.load(service, getClass().getClassLoader()).stream().map(ServiceLoader.Provider::get).toList();
    }

    @Override
    public PluginsAndModules info() {
        return new PluginsAndModules(List.of(), List.of());
    }
}

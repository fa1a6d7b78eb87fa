# SPDX-License-Identifier: LGPL-2.1-or-later
host info version || true
host device_add e1000e,id=hot0,bus=hp1 || true
